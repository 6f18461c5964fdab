// The page only draws what the kiosk pushes: views over /events, pictures over /picture. It asks for nothing.
"use strict";

const SILENCE_MS = 5000; // the kiosk sends a sign of life every 1.5 s
const PICTURE_AGAIN_MS = 1000;
const SVG = "http://www.w3.org/2000/svg";
const at = (id) => document.getElementById(id);
const body = document.body;
let lastHeard = Date.now();
let cueHeard = null;
let audio = null;

// --- words, colour, icon -------------------------------------------------------------------------------------------

function say(mode, key, role, headline, detail) {
  const before = [body.dataset.mode, at("headline").textContent, at("detail").textContent].join("\n");
  body.dataset.mode = mode;
  body.dataset.role = role;
  if (before === [mode, headline, detail].join("\n")) return;
  at("icon").firstElementChild.setAttribute("href", `#icon-${key}`);
  at("headline").textContent = headline;
  at("detail").textContent = detail;
  fit();
}

function fit() {
  // Long names become smaller until they fit; only then may a word be broken.
  const panel = at("panel"), message = at("message"), headline = at("headline");
  const style = getComputedStyle(panel);
  const height = panel.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
  const used = () => {
    const parts = [...message.children].filter((part) => part.getBoundingClientRect().height > 0);
    return parts[parts.length - 1].getBoundingClientRect().bottom - parts[0].getBoundingClientRect().top;
  };
  headline.classList.remove("tight");
  let size = 1;
  for (; size >= 0.45; size -= 0.05) {
    message.style.setProperty("--fit", size.toFixed(2));
    if (headline.scrollWidth <= headline.clientWidth && used() <= height) return;
  }
  headline.classList.add("tight");
}

function light(element, state) {
  element.hidden = state === null;
  if (state === null) return;
  element.textContent = state.words;
  element.classList.toggle("off", !state.ok);
}

// --- boxes over the picture ----------------------------------------------------------------------------------------

function drawBoxes(boxes) {
  const picture = at("picture");
  const width = picture.naturalWidth || 4, height = picture.naturalHeight || 3;
  const overlay = at("boxes");
  overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
  at("stage").style.setProperty("--aspect", (width / height).toFixed(4));
  const shapes = [];
  for (const box of boxes) {
    for (const kind of ["halo", box.role]) {
      const shape = document.createElementNS(SVG, "rect");
      shape.setAttribute("class", `box ${kind}`);
      shape.setAttribute("x", box.x * width);
      shape.setAttribute("y", box.y * height);
      shape.setAttribute("width", Math.max(0, box.w * width));
      shape.setAttribute("height", Math.max(0, box.h * height));
      shape.setAttribute("rx", 0.08 * Math.min(box.w * width, box.h * height));
      shapes.push(shape);
    }
  }
  overlay.replaceChildren(...shapes);
}

// --- sound: browsers allow it after a touch ------------------------------------------------------------------------

const TONES = { good: [[880, 0], [1320, 0.12]], again: [[660, 0], [660, 0.16]], bad: [[247, 0], [196, 0.18]] };

function play(sound) {
  if (!audio || audio.state !== "running") return;
  for (const [pitch, delay] of TONES[sound] || []) {
    const tone = audio.createOscillator(), volume = audio.createGain();
    const start = audio.currentTime + delay;
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.25, start + 0.01);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.15);
    tone.connect(volume).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.16);
  }
}

async function allowSound() {
  audio = audio || new AudioContext();
  await audio.resume();
  if (audio.state === "running" && at("sound")) at("sound").hidden = true;
}

if (at("sound")) {
  document.addEventListener("pointerdown", allowSound);
  allowSound();
}

// --- what is pushed ------------------------------------------------------------------------------------------------

function show(view) {
  say(view.mode, view.key, view.role, view.headline, view.detail);
  drawBoxes(view.boxes);
  light(at("camera"), view.camera);
  light(at("server"), view.server);
  light(at("clock-warning"), view.clock);
  const cue = view.cue ? view.cue.number : 0;
  if (cueHeard !== null && cue > cueHeard) play(view.cue.sound);
  cueHeard = cue;
}

function lost() {
  // Whatever stood here is old now: no name outlives its kiosk.
  say("lost_screen", "lost_screen", "off", body.dataset.lostHeadline, body.dataset.lostDetail);
  drawBoxes([]);
  cueHeard = null;
}

function listen() {
  const events = new EventSource("/events");
  events.addEventListener("view", (event) => { lastHeard = Date.now(); show(JSON.parse(event.data)); });
  events.addEventListener("alive", () => { lastHeard = Date.now(); });
  events.addEventListener("error", () => {
    lost();
    // After an answer that is no stream, a browser gives up by itself; this page doesn't.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, PICTURE_AGAIN_MS);
  });
}

function watchPicture() {
  const picture = at("picture");
  const open = () => { picture.src = `/picture?${Date.now()}`; };
  picture.addEventListener("error", () => setTimeout(open, PICTURE_AGAIN_MS));
  open();
  return open;
}

// --- clock ---------------------------------------------------------------------------------------------------------

const language = document.documentElement.lang;
const clockForm = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const dateForm = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month: "short" });

function tick() {
  const now = new Date();
  at("clock").textContent = clockForm.formatToParts(now).map((part) => (part.type === "literal" ? ":" : part.value)).join("");
  at("date").textContent = dateForm.format(now);
  if (now.getTime() - lastHeard > SILENCE_MS && body.dataset.mode !== "lost_screen") lost();
}

tick();
setInterval(tick, 500);
addEventListener("resize", fit);
fit();
const openPicture = watchPicture();
listen();
// A stream that ended in good order is no error to an <img>: begin it again when the kiosk is back.
let wasLost = false;
new MutationObserver(() => {
  const isLost = body.dataset.mode === "lost_screen";
  if (wasLost && !isLost) openPicture();
  wasLost = isLost;
}).observe(body, { attributes: true, attributeFilter: ["data-mode"] });
