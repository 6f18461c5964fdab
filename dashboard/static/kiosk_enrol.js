// Follows an enrolment at a kiosk: asks once a second where it stands. The page works by reloading without this script.
import { filled, words } from "./words.js";

const EVERY_MS = 1000;
const SPOKEN_EVERY_MS = 2500;
const panel = document.getElementById("follow");
const shown = document.getElementById("follow-words");
const left = document.getElementById("follow-left");
let spokenAt = 0;

function show(state) {
  panel.dataset.phase = state.phase;
  document.getElementById("hint-now").dataset.kind = state.phase === "complete" ? "good" : "warn";
  const ended = state.phase === "complete" || state.phase === "over";
  if (shown.textContent !== state.words && (ended || Date.now() - spokenAt >= SPOKEN_EVERY_MS)) {
    shown.textContent = state.words;
    spokenAt = Date.now();
  }
  left.textContent = state.left_s ? filled(words.left, { seconds: state.left_s }) : "";
  for (const place of panel.querySelectorAll("[data-pose]")) {
    const picture = place.querySelector("img"), there = state.poses.includes(place.dataset.pose);
    if (there && picture.hidden) {
      picture.src = place.dataset.picture;
      picture.hidden = false;
    }
    place.querySelector(".state").textContent = there ? words.taken : words.not_yet;
  }
  document.getElementById("accept-form").hidden = !(ended && state.poses.length);
  return state.phase !== "over";
}

async function follow() {
  let more = true;
  try {
    const response = await fetch(panel.dataset.state, { headers: { Accept: "application/json" } });
    if (response.status === 401) window.location.reload();
    if (response.ok) more = show(await response.json());
    else shown.textContent = words.silent;
  } catch {
    shown.textContent = words.unreachable;
  }
  if (more) setTimeout(follow, EVERY_MS);
}

follow();
