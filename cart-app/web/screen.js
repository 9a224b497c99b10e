// The cart's screen on a canvas: updates in, pointer and keys out. The token stands behind the # of the
// address, which no browser sends anywhere; it goes to the screen as the socket's first message.
"use strict";

const canvas = document.getElementById("screen");
const paper = canvas.getContext("2d", { alpha: false });
const state = document.getElementById("state");
const words = document.getElementById("words");

// Close codes of ours, as cart-app/src/web_screen/viewer.rs gives them.
const WRONG_TOKEN = 4401;
const CROWDED = 4503;
// Tried again after so long, longer each time, in milliseconds.
const AGAIN_FIRST = 400;
const AGAIN_LAST = 5000;

let socket = null;
let mayTouch = false;
let again = AGAIN_FIRST;
let timer = 0;

function say(is, what) {
  state.dataset.is = is;
  words.textContent = what;
  canvas.classList.toggle("old", is !== "connected");
}

// Before the first picture the screen is a shade darker than the paper.
function blank() {
  paper.fillStyle = "#F1EEE7";
  paper.fillRect(0, 0, canvas.width, canvas.height);
}

function send(message) {
  if (socket !== null && socket.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify(message));
  }
}

function connect() {
  clearTimeout(timer);
  const token = location.hash.slice(1);
  if (token === "") {
    say("refused", "The token is missing: open the whole address that the terminal shows.");
    return;
  }
  const mine = new WebSocket(`ws://${location.host}/live`);
  mine.binaryType = "arraybuffer";
  socket = mine;
  mine.onopen = () => send({ token });
  mine.onmessage = (event) => {
    if (typeof event.data === "string") {
      welcome(JSON.parse(event.data));
    } else {
      show(event.data, mine).catch(() => mine.close());
    }
  };
  mine.onclose = (event) => {
    if (socket === mine) {
      lost(event.code);
    }
  };
}

function lost(code) {
  socket = null;
  mayTouch = false;
  if (code === WRONG_TOKEN) {
    say("refused", "This address is no longer right: open the one that the terminal shows now.");
    return;
  }
  say("waiting", code === CROWDED ? "Too many are looking; trying again…" : "Connection lost; trying again…");
  timer = setTimeout(connect, again);
  again = Math.min(again * 2, AGAIN_LAST);
}

function welcome({ rights, width, height }) {
  again = AGAIN_FIRST;
  mayTouch = rights === "touch";
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    blank();
  }
  canvas.style.setProperty("--ratio", width / height);
  canvas.style.cursor = mayTouch ? "default" : "not-allowed";
  say("waiting", "Connected; waiting for the first picture…");
}

// An update, as cart-app/src/web_screen/update.rs lays it out. Its parts are decoded first and drawn
// together; the next one comes when this one is seen.
async function show(buffer, from) {
  const view = new DataView(buffer);
  const number = view.getUint32(0, true);
  const parts = [];
  for (let left = view.getUint8(4), at = 5; left > 0; left -= 1) {
    const length = view.getUint32(at + 8, true);
    const png = new Blob([new Uint8Array(buffer, at + 12, length)], { type: "image/png" });
    const [x, y] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    parts.push(createImageBitmap(png).then((picture) => ({ x, y, picture })));
    at += 12 + length;
  }
  for (const { x, y, picture } of await Promise.all(parts)) {
    paper.drawImage(picture, x, y);
    picture.close();
  }
  if (socket === from) {
    say("connected", mayTouch ? "Connected" : "Connected, to look only");
    send({ seen: number });
  }
}

// Pointer. Moves and turns of the wheel are gathered, and sent once for each picture of the browser.
let moved = null;
let turned = null;
let asked = false;

function place(event) {
  const box = canvas.getBoundingClientRect();
  const to = (at, from, length, pixels) => Math.round(((at - from) / length) * pixels * 10) / 10;
  return [
    to(event.clientX, box.left, box.width, canvas.width),
    to(event.clientY, box.top, box.height, canvas.height),
  ];
}

function flush() {
  asked = false;
  if (moved !== null) {
    send({ move: moved });
    moved = null;
  }
  if (turned !== null) {
    send({ wheel: turned });
    turned = null;
  }
}

function later() {
  if (!asked) {
    asked = true;
    requestAnimationFrame(flush);
  }
}

function ours(event) {
  return mayTouch && event.isPrimary;
}

canvas.addEventListener("pointerdown", (event) => {
  if (!ours(event) || event.button !== 0) {
    return;
  }
  canvas.setPointerCapture(event.pointerId);
  flush();
  send({ press: place(event) });
});

canvas.addEventListener("pointermove", (event) => {
  if (ours(event)) {
    moved = place(event);
    later();
  }
});

canvas.addEventListener("pointerup", (event) => {
  if (!ours(event) || event.button !== 0) {
    return;
  }
  flush();
  send({ release: place(event) });
  if (event.pointerType !== "mouse") {
    send("leave");
  }
});

for (const gone of ["pointercancel", "pointerleave"]) {
  canvas.addEventListener(gone, (event) => {
    if (ours(event) && !(gone === "pointerleave" && canvas.hasPointerCapture(event.pointerId))) {
      moved = null;
      send("leave");
    }
  });
}

canvas.addEventListener("contextmenu", (event) => event.preventDefault());

canvas.addEventListener("wheel", (event) => {
  if (!mayTouch) {
    return;
  }
  event.preventDefault();
  // Lines and pages in pixels, as browsers scroll them.
  const unit = [1, 16, canvas.height][event.deltaMode];
  const [right, down] = turned === null ? [0, 0] : turned.slice(2);
  // A wheel turned down moves the content up.
  turned = [...place(event), right - event.deltaX * unit, down - event.deltaY * unit];
  later();
}, { passive: false });

// Keys. What the browser itself is told with Control, Alt or Meta stays with it.
const NAMED = new Set([
  "Backspace", "Delete", "Enter", "Tab", "Escape", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight",
  "Home", "End", "PageUp", "PageDown",
]);

function key(event, down) {
  const typed = [...event.key].length === 1;
  const forBrowser = (event.ctrlKey || event.altKey || event.metaKey) && !event.getModifierState("AltGraph");
  if (!mayTouch || forBrowser || event.isComposing || !(typed || NAMED.has(event.key))) {
    return;
  }
  event.preventDefault();
  send({ key: { key: event.key, down } });
}

// There is nothing else on the page that keys could be meant for.
document.addEventListener("keydown", (event) => key(event, true));
document.addEventListener("keyup", (event) => key(event, false));

window.addEventListener("hashchange", () => {
  const old = socket;
  socket = null;
  if (old !== null) {
    old.close();
  }
  connect();
});

blank();
connect();
