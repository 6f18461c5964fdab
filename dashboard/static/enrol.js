// Enrolment: sends pictures one by one and shows the verdict on each; the form works without this script too.
import { startCamera } from "./camera.js";

const MAX_AT_ONCE = 5;
const panel = document.getElementById("enrol");
const list = document.getElementById("verdicts");
const token = document.querySelector('meta[name="csrf-token"]').content;

function problem(words) {
  const place = document.getElementById("camera-problem");
  place.replaceChildren();
  if (!words) return;
  const notice = document.getElementById("problem").content.cloneNode(true);
  notice.querySelector(".words").textContent = words;
  place.append(notice);
}

async function ask(blob, name, acceptSimilar) {
  const form = new FormData();
  form.append("pictures", blob, name);
  if (acceptSimilar) form.append("accept_similar", "1");
  try {
    const response = await fetch(panel.dataset.url, {
      method: "POST", body: form, headers: { Accept: "application/json", "X-CSRFToken": token },
    });
    const answer = await response.json();
    if (response.status === 401) window.location.reload();
    return answer.results?.[0] ?? { kind: "bad", words: answer.error ?? "The server refused it without saying why." };
  } catch {
    return { kind: "warn", words: "The server can’t be reached. Check the connection and try again." };
  }
}

async function refreshStored() {
  try {
    const response = await fetch(window.location.pathname, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const stored = page.getElementById("stored");
    const hint = page.getElementById("files-hint");
    if (response.ok && stored) document.getElementById("stored").replaceWith(document.importNode(stored, true));
    if (hint) document.getElementById("files-hint").textContent = hint.textContent;
  } catch {
    // the picture is stored; it shows at the next reload
  }
}

function show(item, verdict, again) {
  item.className = `verdict ${verdict.kind}`;
  item.querySelector(".title").textContent = verdict.stored ? "Stored" : "Not stored";
  item.querySelector(".words").textContent = verdict.words;
  const button = item.querySelector("button");
  button.hidden = !verdict.confirm;
  button.onclick = again;
}

async function enrol(blob, name, item = null, acceptSimilar = false) {
  if (!item) {
    item = document.getElementById("verdict").content.firstElementChild.cloneNode(true);
    const picture = item.querySelector("img");
    picture.addEventListener("error", () => picture.removeAttribute("src"));
    picture.src = URL.createObjectURL(blob);
    list.prepend(item);
  }
  show(item, { kind: "", words: "The worker looks at it." }, null);
  item.querySelector(".title").textContent = "Checking …";
  const verdict = await ask(blob, name, acceptSimilar);
  show(item, verdict, () => enrol(blob, name, item, true));
  if (verdict.stored) await refreshStored();
}

function checked(files) {
  if (files.length > MAX_AT_ONCE) return `${files.length} pictures are chosen; send at most ${MAX_AT_ONCE} at a time.`;
  const most = Number(panel.dataset.maxMb) * 1024 * 1024;
  const large = files.find((file) => file.size > most);
  return large ? `${large.name} is over ${panel.dataset.maxMb} MB. Choose a smaller picture.` : "";
}

if (panel.dataset.url) {
  const form = document.getElementById("upload");
  const input = document.getElementById("files");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const files = Array.from(input.files);
    const wrong = checked(files);
    problem(wrong);
    if (wrong) return;
    const button = form.querySelector("button");
    button.disabled = true;
    for (const file of files) await enrol(file, file.name);
    button.disabled = false;
    form.reset();
  });
  startCamera({ taken: (blob) => enrol(blob, "camera.jpg"), problem });
}
