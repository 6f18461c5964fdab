// Enrolling from a folder. The files' names go to the server, which says what would become of everybody; then the pictures
// go, one person after the other. A file is only read when its person's turn comes.
import { show, startTable, update } from "./folder_table.js";
import { filled, words as said } from "./words.js";

const TRIES = 5;
const WAIT_MS = 2000; // between two tries
const LEFT = ["ready", "new", "no_consent", "deactivated", "refused", "look_alike", "not_enrolled"];
const part = (id) => document.getElementById(id);
const choose = part("choose");
const inputs = [part("folder"), part("files")];
const token = document.querySelector('meta[name="csrf-token"]').content;
const number = (count) => new Intl.NumberFormat(document.documentElement.lang).format(count);

let files = [];
let rows = [];
let running = false;
let stopping = false;

const tell = (text) => (part("told").textContent = text);
const kinds = (...names) => rows.filter((row) => names.includes(row.kind));
const toSend = () => kinds("ready", ...(part("agreed").checked ? ["new"] : []));

function problem(text) {
  part("problem").replaceChildren();
  if (!text) return;
  const notice = part("trouble").content.cloneNode(true);
  notice.querySelector(".words").textContent = text;
  part("problem").append(notice);
}

/** The server's answer; of kind `away` where another try may help, `halt` where only the clerk can. */
async function post(url, body, more = {}) {
  try {
    const headers = { Accept: "application/json", "X-CSRFToken": token, ...more };
    const response = await fetch(url, { method: "POST", body, headers });
    if (response.status === 401) return { kind: "halt", words: [said.logged_out] };
    const answer = await response.json();
    if (response.ok) return answer;
    const kind = response.status >= 500 ? "away" : [400, 403].includes(response.status) ? "halt" : "not_enrolled";
    return { kind, words: [answer.error ?? said.refused_all] };
  } catch {
    return { kind: "away", words: [said.unreachable] };
  }
}

// --- what would become of them -----------------------------------------------------------------------------------------

/** Below the chosen folder, which has a name of its own; a file that was chosen alone has no path. */
const pathOf = (file) => file.webkitRelativePath.split("/").slice(1).join("/") || file.name;

async function look(chosen) {
  files = Array.from(chosen);
  rows = [];
  problem("");
  part("plan").hidden = part("rows").hidden = true;
  if (!files.length) return;
  for (const input of inputs) input.disabled = true;
  choose.setAttribute("aria-busy", "true");
  const paths = JSON.stringify({ paths: files.map(pathOf) });
  const answer = await post(choose.dataset.look, paths, { "Content-Type": "application/json" });
  for (const input of inputs) input.disabled = false;
  choose.removeAttribute("aria-busy");
  if (!answer.people) return problem(answer.words.join(" "));
  problem(answer.problem);
  const leftOut = answer.left_out.map(({ path, why }) => ({ code: "", name: path, pictures: [], kind: "left_out", words: why }));
  rows = [...answer.people, ...leftOut];
  part("rows").hidden = !rows.length;
  startTable(rows);
  if (answer.people.length) present();
}

function present() {
  const [lacking, fresh] = [kinds("no_consent").length, kinds("new").length];
  part("no-consent").hidden = !lacking;
  part("no-consent").querySelector(".count").textContent = number(lacking);
  part("new-people").hidden = !fresh;
  part("new-people").querySelector(".count").textContent = number(fresh);
  part("agreed").checked = false;
  part("plan").hidden = false;
  part("running").hidden = true;
  tell("");
  buttons(said.start);
  part("plan-title").focus();
}

function buttons(start) {
  part("start").hidden = running || (!toSend().length && rows.some((row) => row.done));
  part("start").textContent = `${start} (${number(toSend().length)})`;
  part("start").disabled = !toSend().length;
  part("start").dataset.words = start;
  part("stop").hidden = !running;
  part("stop").disabled = stopping;
  part("left").hidden = running || !kinds(...LEFT, "left_out").length;
  part("agreed").disabled = running;
  for (const input of inputs) input.disabled = running;
}

// --- sending -----------------------------------------------------------------------------------------------------------

/** The person's pictures that can be sent, and words about those that can't. */
async function usable(row) {
  const most = Number(choose.dataset.maxMb) * 1024 * 1024;
  const chosen = [];
  const left = [];
  let size = 0;
  for (const file of row.pictures.map((place) => files[place])) {
    try {
      await file.slice(0, 1).arrayBuffer();
    } catch {
      left.push(filled(said.unreadable, { name: file.name }));
      continue;
    }
    if (size + file.size > most) {
      left.push(filled(said.too_large, { name: file.name, most: choose.dataset.maxMb }));
      continue;
    }
    size += file.size;
    chosen.push(file);
  }
  return { chosen, left };
}

async function send(row) {
  const { chosen, left } = await usable(row);
  if (!chosen.length) return { kind: "not_enrolled", words: [...left, said.none_left] };
  const form = new FormData();
  form.append("code", row.code);
  form.append("name", row.folder_name);
  if (row.kind === "new") form.append("agreed", "1");
  for (const file of chosen) form.append("pictures", file, file.name);
  for (let tries = 1; ; tries += 1) {
    const answer = await post(choose.dataset.person, form);
    if (answer.kind !== "away" || tries === TRIES || stopping) return { ...answer, words: [...answer.words, ...left] };
    tell(filled(said.away, { words: answer.words.join(" ") }));
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    tell(said.running);
  }
}

function progress(done, count) {
  part("running").hidden = false;
  part("bar").max = Math.max(1, count);
  part("bar").value = done;
  part("bar-words").textContent = filled(said.done, { done: number(done), count: number(count) });
}

/** Everybody who can be sent, in order; what stopped it, in words, or nothing. */
async function sendAll() {
  const queue = toSend();
  let done = rows.filter((row) => row.done).length;
  const count = done + queue.length;
  for (const row of queue) {
    progress(done, count);
    if (stopping) return said.stopped;
    const before = row.words;
    row.words = said.sending;
    update(row);
    const answer = await send(row);
    if (answer.kind === "halt" || answer.kind === "away") {
      row.words = before;
      update(row);
      const words = answer.words.join(" ");
      return answer.kind === "halt" ? words : filled(said.paused, { words });
    }
    done += 1;
    Object.assign(row, { kind: answer.kind, words: answer.words.join("\n"), page: answer.page ?? row.page, done });
    update(row);
  }
  progress(done, count);
  return "";
}

async function run() {
  running = true;
  stopping = false;
  tell(said.running);
  show("results");
  buttons(said.go_on);
  part("stop").focus();
  const halted = await sendAll();
  running = stopping = false;
  buttons(said.go_on);
  (part("start").hidden ? part("plan-title") : part("start")).focus();
  const counts = { enrolled: number(kinds("enrolled").length), left: number(kinds(...LEFT).length) };
  tell(halted || filled(said.finished, counts));
}

// --- who is left to do ---------------------------------------------------------------------------------------------------

/** A cell of CSV that no spreadsheet runs as a formula, as dashboard/tables/csv_export.py writes it. */
const cell = (text) => `"${(/^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;

function saveLeft() {
  const left = kinds(...LEFT, "left_out").map((row) => [row.code, row.name, said[row.kind], row.words]);
  const lines = [[said.code, said.name, said.state, said.why], ...left].map((line) => line.map(cell).join(","));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`\ufeff${lines.join("\r\n")}\r\n`], { type: "text/csv" }));
  link.download = "left-to-enrol.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000); // the download has begun by then
}

for (const input of inputs) input.addEventListener("change", () => look(input.files));
part("agreed").addEventListener("change", () => buttons(part("start").dataset.words));
part("start").addEventListener("click", run);
part("stop").addEventListener("click", () => {
  stopping = true;
  part("stop").disabled = true;
  tell(said.stopping);
});
part("left").addEventListener("click", saveLeft);
window.addEventListener("beforeunload", (event) => running && event.preventDefault());
