// Takes the token out of the address into the form, and keeps the trip fresh while the phone is looked at.
"use strict";
const token = document.getElementById("token");
if (token && location.hash.startsWith("#/")) {
  token.value = location.hash.slice(2);
  // Nobody needs it in the history: it is good once.
  history.replaceState(null, "", location.pathname);
}

// The list stays on this phone, for this trip and the next.
const list = document.getElementById("list");
const KEY = "trundle-list";
try {
  if (list && !list.value) list.value = localStorage.getItem(KEY) ?? "";
  list?.addEventListener("input", () => localStorage.setItem(KEY, list.value));
} catch { /* A browser that keeps nothing is right, too. */ }

document.getElementById("join")?.addEventListener("submit", (event) => {
  for (const button of event.target.querySelectorAll("button")) button.disabled = true;
});

document.getElementById("list-form")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const sent = document.getElementById("sent");
  try {
    const body = new URLSearchParams(new FormData(event.target));
    const answer = await fetch(event.target.action, { method: "POST", body, redirect: "manual" });
    sent.textContent = answer.ok || answer.type === "opaqueredirect" ? "The cart has it." : "That did not work. Please try again.";
  } catch {
    sent.textContent = "No word from the store. Please try again.";
  }
});

const trip = document.getElementById("trip");
const lost = document.getElementById("lost");
let shown = "";
const refresh = async () => {
  if (document.hidden || trip.querySelector("[data-over]")) return;
  try {
    const answer = await fetch("/trip/live");
    if (answer.status === 403) return location.reload();
    if (!answer.ok) throw new Error(answer.status);
    const html = await answer.text();
    lost.hidden = true;
    if (html !== shown) trip.innerHTML = shown = html;
    if (trip.querySelector("[data-over]")) document.getElementById("yours")?.remove();
  } catch {
    lost.hidden = false;
  }
};
if (trip) {
  setInterval(refresh, 2000);
  document.addEventListener("visibilitychange", refresh);
}
