// Swaps in the board when it changes. A basket that is open stays open; a form that has the focus
// keeps it. Without this script the page still works; it is then fresh at each load.
"use strict";
const board = document.getElementById("board");
const lost = document.getElementById("lost");

const swap = (html) => {
  const open = [...board.querySelectorAll("details[open]")].map((d) => d.id);
  const focused = document.activeElement?.closest("article")?.id;
  board.innerHTML = html;
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) document.getElementById(focused)?.querySelector("button, summary")?.focus({ preventScroll: true });
  count();
};

const count = () => {
  for (const time of board.querySelectorAll("time[data-since]")) {
    const seconds = Math.max(0, Math.floor((Date.now() - Number(time.dataset.since)) / 1000));
    const minutes = Math.floor(seconds / 60);
    time.textContent = minutes < 60 ? `${minutes}:${String(seconds % 60).padStart(2, "0")}` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
    time.dataset.warmth = minutes >= 5 ? "hot" : minutes >= 2 ? "warm" : "cool";
  }
};

const source = new EventSource("/live");
source.addEventListener("board", (event) => { lost.hidden = true; swap(event.data); });
source.addEventListener("error", () => { lost.hidden = false; });
document.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const body = new URLSearchParams(new FormData(form, event.submitter));
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  fetch(form.action, { method: "POST", body, redirect: "manual" });
});
setInterval(count, 1000);
count();
