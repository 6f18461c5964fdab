// Guided enrolment: pose after pose, a hint for the frame seen now, the best frame of each kept until the clerk accepts.
import { asJpeg, closeCamera, frameOf, openCamera, shrunk } from "./camera.js";
import { enrol, post, problem } from "./verdicts.js";
import { filled, words as said } from "./words.js";

const EVERY_MS = 350; // one frame at a time, so a slow worker makes it slower, never later
const LATE_MS = 1500; // an answer older than this speaks of somebody who has moved since
const GIVE_UP_MS = 4000;
const SPOKEN_EVERY_MS = 2500;
const LOOKED_AT_PX = 640, LOOKED_AT_QUALITY = 0.8, KEPT_QUALITY = 0.92;
const SLOW = { kind: "away", words: said.slow };
const OFFLINE = { kind: "away", words: said.offline };

const at = (id) => document.getElementById(id);
const guided = at("guided"), review = at("review"), video = at("camera-picture"), open = at("camera-open");
const steps = new Map([...guided.querySelectorAll("[data-pose]")].map((step) => [step.dataset.pose, step]));
const goodFrames = Number(guided.dataset.goodFrames);
const chosen = new Map(); // pose → {blob, url}
let wanted = []; // poses still to be taken
let run = 0; // a new number ends what runs and makes its answers old
let spokenAt = 0, spokenLater = null;

// --- what is said ----------------------------------------------------------------------------------------------------

function tell({ kind, words }) {
  at("hint-now").dataset.kind = kind;
  at("hint-words").textContent = words;
  clearTimeout(spokenLater);
  const speak = () => {
    spokenAt = Date.now();
    if (at("hint-spoken").textContent !== words) at("hint-spoken").textContent = words;
  };
  spokenLater = setTimeout(speak, Math.max(0, spokenAt + SPOKEN_EVERY_MS - Date.now()));
}

function markSteps() {
  for (const [pose, step] of steps) {
    step.toggleAttribute("aria-current", false);
    if (pose === wanted[0]) step.setAttribute("aria-current", "step");
    step.querySelector(".state").textContent = chosen.has(pose) ? ` ✓ ${said.taken}` : "";
  }
}

// --- one pose after the other ----------------------------------------------------------------------------------------

async function begin(poses) {
  const mine = ++run;
  problem("");
  open.disabled = true;
  const words = await openCamera(video, (why) => { stop(); problem(why); });
  open.disabled = false;
  if (mine !== run) return;
  if (words) {
    stop();
    problem(words);
    return;
  }
  wanted = poses;
  open.hidden = review.hidden = true;
  guided.hidden = false;
  at("take-now").focus();
  nextPose();
}

function nextPose() {
  markSteps();
  if (!wanted.length) {
    closeCamera(video);
    showReview();
    return;
  }
  tell({ kind: "warn", words: steps.get(wanted[0]).dataset.words });
  watch(++run, wanted[0]);
}

async function watch(mine, pose) {
  let best = null, good = 0;
  while (mine === run) {
    const beganAt = performance.now();
    const canvas = document.hidden ? null : frameOf(video);
    if (canvas) {
      const answer = await look(canvas, pose);
      if (mine !== run) return;
      const late = performance.now() - beganAt > LATE_MS;
      tell(late && answer.kind !== "away" ? SLOW : answer);
      if (!late && answer.kind === "good") {
        good += 1;
        if (!best || answer.score > best.score) best = { score: answer.score, canvas };
        if (good >= goodFrames) return take(best.canvas);
      }
    }
    await new Promise((done) => setTimeout(done, Math.max(50, beganAt + EVERY_MS - performance.now())));
  }
}

async function look(canvas, pose) {
  try {
    const body = await asJpeg(shrunk(canvas, LOOKED_AT_PX), LOOKED_AT_QUALITY);
    const answer = await post(`${guided.dataset.look}?pose=${pose}`, body, { signal: AbortSignal.timeout(GIVE_UP_MS) });
    return answer.error ? { kind: "away", words: answer.error } : answer;
  } catch (error) {
    return error.name === "TimeoutError" ? SLOW : OFFLINE;
  }
}

async function take(canvas) {
  const pose = wanted[0], mine = ++run;
  const blob = canvas && await asJpeg(canvas, KEPT_QUALITY);
  if (mine !== run) return;
  if (!blob) {
    problem(said.not_taken);
    watch(++run, pose);
    return;
  }
  forget(pose);
  chosen.set(pose, { blob, url: URL.createObjectURL(blob) });
  wanted = wanted.slice(1);
  nextPose();
}

function forget(pose) {
  if (chosen.has(pose)) URL.revokeObjectURL(chosen.get(pose).url);
  chosen.delete(pose);
}

function stop() {
  run += 1;
  clearTimeout(spokenLater);
  closeCamera(video);
  guided.hidden = true;
  open.hidden = false;
}

// --- what was chosen -------------------------------------------------------------------------------------------------

function showReview() {
  stop();
  const replace = document.querySelector('#terms [name="replace"]');
  at("review-replace").hidden = !replace;
  if (replace) at("guided-replace").checked = replace.checked;
  at("chosen").replaceChildren(...[...steps].filter(([pose]) => chosen.has(pose)).map(([pose, step]) => {
    const item = at("choice").content.firstElementChild.cloneNode(true), name = step.firstChild.textContent;
    item.querySelector("img").src = chosen.get(pose).url;
    item.querySelector("img").alt = filled(said.chosen, { name });
    item.querySelector(".words").textContent = name;
    item.querySelector("button span").textContent = `: ${name}`;
    item.querySelector("button").addEventListener("click", () => begin([pose]));
    return item;
  }));
  review.hidden = chosen.size === 0;
  if (chosen.size) at("review-title").focus();
  else open.focus();
}

function discard() {
  for (const pose of [...chosen.keys()]) forget(pose);
  review.hidden = true;
  markSteps();
}

async function accept() {
  const pictures = [...steps.keys()].filter((pose) => chosen.has(pose)).map((pose) => ({ blob: chosen.get(pose).blob, name: `${pose}.jpg` }));
  const replace = !at("review-replace").hidden && at("guided-replace").checked;
  at("accept").disabled = true;
  await enrol(pictures, { together: true, replace, stored });
  at("accept").disabled = false;
}

function stored() {
  discard();
  at("enrol-title").focus();
}

export function startGuided() {
  open.hidden = false;
  open.addEventListener("click", () => { discard(); begin([...steps.keys()]); });
  at("take-now").addEventListener("click", () => take(frameOf(video)));
  at("skip-pose").addEventListener("click", () => { wanted = wanted.slice(1); nextPose(); at("take-now").focus(); });
  at("camera-close").addEventListener("click", () => { discard(); stop(); open.focus(); });
  at("accept").addEventListener("click", accept);
  at("again").addEventListener("click", () => { discard(); begin([...steps.keys()]); });
  at("discard").addEventListener("click", () => { discard(); open.focus(); });
  window.addEventListener("pagehide", stop);
}
