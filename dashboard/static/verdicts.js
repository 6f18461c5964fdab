// Sends pictures to be enrolled, together or one by one, and shows the verdict on each.
import { words as said } from "./words.js";

const panel = document.getElementById("enrol");
const list = document.getElementById("verdicts");
const token = document.querySelector('meta[name="csrf-token"]').content;

export function problem(words) {
  const place = document.getElementById("camera-problem");
  place.replaceChildren();
  if (!words) return;
  const notice = document.getElementById("problem").content.cloneNode(true);
  notice.querySelector(".words").textContent = words;
  place.append(notice);
}

export async function post(url, body, more = {}) {
  const headers = { Accept: "application/json", "X-CSRFToken": token };
  const response = await fetch(url, { method: "POST", body, headers, ...more });
  if (response.status === 401) window.location.reload();
  return response.json();
}

async function ask(pictures, { together, replace, acceptSimilar }) {
  const form = new FormData();
  for (const { blob, name } of pictures) form.append("pictures", blob, name);
  if (together) form.append("together", "1");
  if (replace) {
    form.append("replace", "1");
    for (const old of document.querySelectorAll('#terms [name="replaced"]')) form.append("replaced", old.value);
  }
  if (acceptSimilar) form.append("accept_similar", "1");
  let words;
  try {
    const answer = await post(panel.dataset.url, form);
    if (answer.results) return answer.results;
    words = answer.error ?? said.refused;
  } catch {
    words = said.unreachable;
  }
  return pictures.map(() => ({ kind: "warn", words }));
}

async function refreshStored() {
  try {
    const response = await fetch(window.location.pathname, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const id of ["stored", "terms", "files-hint"]) {
      const part = response.ok && page.getElementById(id);
      if (part) document.getElementById(id)?.replaceWith(document.importNode(part, true));
    }
  } catch {
    // the picture is stored; it shows at the next reload
  }
}

function show(item, verdict, title, decide = verdict.confirm) {
  item.className = `verdict ${verdict.kind}`;
  item.querySelector(".title").textContent = title ?? (verdict.stored ? said.stored : said.not_stored);
  item.querySelector(".words").textContent = verdict.words;
  item.querySelector(".decide").hidden = !decide;
  const similar = verdict.similar;
  item.querySelector(".pair").hidden = !similar;
  item.querySelector(".same").hidden = !similar;
  if (!similar) return;
  item.querySelector(".mine").src = similar.mine;
  if (similar.picture) item.querySelector(".theirs").src = similar.picture;
  item.querySelector(".other").textContent = similar.name;
  item.querySelector(".other").href = similar.page;
}

async function samePerson(item, similar) {
  const form = new FormData();
  form.append("other_id", similar.id);
  try {
    const answer = await post(panel.dataset.samePerson, form);
    show(item, { kind: "bad", words: answer.words ?? answer.error });
  } catch {
    show(item, { kind: "warn", words: said.undecided });
  }
}

function newItem(blob) {
  const item = document.getElementById("verdict").content.firstElementChild.cloneNode(true);
  const picture = item.querySelector(".shown");
  picture.addEventListener("error", () => picture.removeAttribute("src"));
  picture.src = URL.createObjectURL(blob);
  list.prepend(item);
  return item;
}

const newItems = (pictures) => [...pictures].reverse().map(({ blob }) => newItem(blob)).reverse(); // the first on top

/** Enrol `pictures` ({blob, name}). `terms`: together, replace, acceptSimilar; `stored` is called once all are. */
export async function enrol(pictures, terms = {}, items = newItems(pictures)) {
  for (const item of items) show(item, { kind: "", words: said.looking }, said.checking);
  const verdicts = await ask(pictures, terms);
  verdicts.forEach((verdict, n) => {
    const item = items[n];
    // one decision counts for all that go together, so it is asked for once
    const asked = terms.together && verdicts.slice(0, n).some((earlier) => earlier.confirm);
    show(item, verdict, undefined, verdict.confirm && !asked);
    item.querySelector(".different").onclick = () => enrol(pictures, { ...terms, acceptSimilar: true }, items);
    item.querySelector(".same").onclick = () => samePerson(item, verdict.similar);
  });
  if (verdicts.some((verdict) => verdict.stored)) await refreshStored();
  if (verdicts.every((verdict) => verdict.stored)) terms.stored?.();
}
