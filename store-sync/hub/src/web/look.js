// Shows each picture of the screen as it comes. When the last may be seen no more, or nobody can say that it may, nothing
// of it stays on the page.
"use strict";
const picture = document.getElementById("picture");
const taken = document.getElementById("taken");
const parts = ["seen", "soon", "over", "lost"].map((id) => document.getElementById(id));

const show = (id) => {
  for (const part of parts) part.hidden = part.id !== id;
  if (id !== "seen") picture.removeAttribute("src");
};

const count = () => {
  const at = Number(taken.dataset.at);
  if (!at) return;
  const seconds = Math.max(0, Math.floor((Date.now() - at) / 1000));
  taken.textContent = `at ${new Date(at).toLocaleTimeString("en-GB")}, ${seconds} s ago`;
};

const source = new EventSource(`${location.pathname}/live`);
source.addEventListener("picture", (event) => {
  const [number, at] = event.data.split(" ");
  taken.dataset.at = at;
  picture.src = `${location.pathname}/picture?n=${number}`;
  show("seen");
  count();
});
source.addEventListener("soon", () => show("soon"));
source.addEventListener("over", (event) => {
  document.getElementById("over").textContent = event.data;
  show("over");
});
source.addEventListener("error", () => show("lost"));
setInterval(count, 1000);
count();
