// The table of an enrolment from a folder: everybody by what is, or has become, of them, a page at a time.
import { filled, words as said } from "./words.js";

const PAGE = 50; // rows
const TAGS = { enrolled: "good", has_pictures: "good", ready: "accent", new: "accent", look_alike: "warn", no_consent: "warn", not_enrolled: "bad", refused: "bad" };
const KINDS = ["ready", "new", "no_consent", "has_pictures", "deactivated", "refused", "left_out", "enrolled", "look_alike", "not_enrolled"];
const VIEWS = ["all", "results", ...KINDS];
const part = (id) => document.getElementById(id);
const number = (count) => new Intl.NumberFormat(document.documentElement.lang).format(count);

let rows = [];
let view = "all";
let first = 0;
const drawn = new Map(); // a row's <tr>, once it was shown

function found() {
  if (view === "all") return rows;
  if (view === "results") return rows.filter((row) => row.done).sort((one, other) => other.done - one.done); // newest first
  return rows.filter((row) => row.kind === view);
}

function fill(row) {
  const tr = drawn.get(row);
  tr.querySelector(".code").textContent = row.code;
  tr.querySelector(".how-many").textContent = row.pictures.length || "";
  tr.querySelector(".tag").textContent = said[row.kind];
  tr.querySelector(".tag").className = `tag ${TAGS[row.kind] ?? ""}`;
  tr.querySelector(".words").replaceChildren(...row.words.split("\n").filter(Boolean).map(paragraph));
  const name = tr.querySelector(".name");
  if (name.querySelector("a") || (name.textContent && !row.page)) return;
  name.replaceChildren(row.page ? link(row) : row.name);
}

function paragraph(text) {
  const line = document.createElement("p");
  line.textContent = text;
  return line;
}

/** In a tab of its own: the pictures go on being sent here. */
function link(row) {
  const made = document.createElement("a");
  Object.assign(made, { href: row.page, target: "_blank", rel: "noopener", textContent: row.name });
  return made;
}

function trOf(row) {
  if (!drawn.has(row)) {
    drawn.set(row, part("row").content.firstElementChild.cloneNode(true));
    fill(row);
  }
  return drawn.get(row);
}

/** Moves no row that stays, so that whoever is in the table with the keyboard stays there. */
function draw() {
  const all = found();
  first = Math.max(0, Math.min(first, Math.floor((all.length - 1) / PAGE) * PAGE));
  const wanted = all.slice(first, first + PAGE).map(trOf);
  const body = part("people");
  for (const tr of Array.from(body.children)) if (!wanted.includes(tr)) tr.remove();
  wanted.forEach((tr, place) => {
    if (body.children[place] !== tr) body.insertBefore(tr, body.children[place] ?? null);
  });
  const [from, to] = [wanted.length ? first + 1 : 0, first + wanted.length];
  part("shown").textContent = filled(said.page, { first: number(from), last: number(to), count: number(all.length) });
  part("previous").disabled = first === 0;
  part("next").disabled = first + PAGE >= all.length;
  count();
}

function count() {
  const counts = { all: rows.length, results: 0 };
  for (const row of rows) {
    counts[row.kind] = (counts[row.kind] ?? 0) + 1;
    if (row.done) counts.results += 1;
  }
  for (const button of part("views").children) {
    const name = button.dataset.view;
    button.hidden = !counts[name] && name !== "all" && name !== view;
    button.textContent = `${said[name]}: ${number(counts[name] ?? 0)}`;
    button.setAttribute("aria-pressed", String(name === view));
  }
}

export function show(name) {
  view = name;
  first = 0;
  draw();
}

export function startTable(all) {
  rows = all;
  drawn.clear();
  show("all");
}

/** A row has changed. */
export function update(row) {
  if (drawn.has(row)) fill(row);
  draw();
}

for (const name of VIEWS) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "button compact quiet", onclick: () => show(name) });
  button.dataset.view = name;
  part("views").append(button);
}
part("previous").addEventListener("click", () => {
  first -= PAGE;
  draw();
});
part("next").addEventListener("click", () => {
  first += PAGE;
  draw();
});
