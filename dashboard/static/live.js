// The live board: shows arrivals as the server tells of them, and says plainly when it doesn't.
import { words } from "./words.js";

const SILENCE_MS = 15_000; // three missed pulses
const RETRY_MS = 3_000;
const WHO_SOON_MS = 1_000;
const WHO_LATER_MS = 16_000; // the server keeps its numbers for 15 s, so by then they know of the arrival
const WHO_IDLE_MS = 60_000; // shifts begin without anybody coming
const SHOWN_OUTCOMES = new Set(["recorded", "inactive", "unknown"]);

const board = document.getElementById("board");
const nobody = document.getElementById("nobody");
const who = document.getElementById("who");
const connection = document.getElementById("connection");
const labels = JSON.parse(board.dataset.labels);
const unnamed = JSON.parse(board.dataset.unnamed);
const shown = Number(board.dataset.shown);

let source = null;
let after = board.dataset.after;
let watchdog = 0;
let retry = 0;
let whoSoon = 0;
let whoLater = 0;
let whoAsked = Date.now();

function say(state, news) {
  if (connection.textContent === news) return;
  connection.dataset.state = state;
  connection.textContent = news;
}

function initials(name) {
  const parts = name.trim().split(/\s+/);
  const ends = parts.length > 1 ? [parts[0], parts[parts.length - 1]] : parts;
  return ends.map((part) => Array.from(part)[0] ?? "").join("").toUpperCase() || "?";
}

function dayWords(iso) {
  const day = new Date(`${iso}T00:00:00Z`);
  if (Number.isNaN(day.getTime())) return iso;
  const pieces = new Intl.DateTimeFormat(document.documentElement.lang, {
    weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC",
  }).formatToParts(day);
  const part = (type) => pieces.find((piece) => piece.type === type).value;
  return `${part("weekday")} ${part("day")} ${part("month")} ${part("year")}`;
}

function tagFor(arrival) {
  if (arrival.direction === "in" || arrival.direction === "out") return `tag-${arrival.direction}`;
  return arrival.outcome === "inactive" ? "tag-inactive" : "tag-none";
}

function rowFor(arrival) {
  const row = document.getElementById("arrival").content.firstElementChild.cloneNode(true);
  const part = (name) => row.querySelector(`[data-part="${name}"]`);
  const day = dayWords(arrival.local_date);
  row.dataset.event = arrival.event_id;
  row.dataset.captured = arrival.captured_ms;
  row.classList.toggle("stranger", !arrival.name);
  row.classList.add("fresh");
  part("time").textContent = arrival.local_time.slice(0, 5);
  part("avatar").textContent = arrival.name ? initials(arrival.name) : "?";
  part("who").textContent = arrival.name ?? unnamed[arrival.outcome] ?? unnamed.unknown;
  part("where").textContent = [
    arrival.department, labels[arrival.kiosk] ?? arrival.kiosk, day === board.dataset.today ? null : day,
  ].filter(Boolean).join(" · ");
  part("result").append(document.getElementById(tagFor(arrival)).content.cloneNode(true));
  return row;
}

function show(arrival) {
  const rows = Array.from(board.children);
  if (!SHOWN_OUTCOMES.has(arrival.outcome) || rows.some((row) => row.dataset.event === arrival.event_id)) return;
  const older = rows.find((row) => Number(row.dataset.captured) <= arrival.captured_ms);
  if (!older && rows.length >= shown) return;
  board.insertBefore(rowFor(arrival), older ?? null);
  while (board.children.length > shown) board.lastElementChild.remove();
  nobody.hidden = true;
}

async function askWho() {
  whoAsked = Date.now();
  try {
    const answer = await fetch(who.dataset.who, { redirect: "manual", signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) return;
    const news = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of who.querySelectorAll("[data-part]")) {
      const fresh = news.querySelector(`#who [data-part="${part.dataset.part}"]`);
      if (fresh && fresh.innerHTML !== part.innerHTML) part.replaceChildren(...fresh.childNodes);
    }
  } catch {
    // the stream notices that the server is away, and says so
  }
}

function whoChanged() {
  whoSoon ||= setTimeout(() => { whoSoon = 0; askWho(); }, WHO_SOON_MS);
  whoLater ||= setTimeout(() => { whoLater = 0; askWho(); }, WHO_LATER_MS);
}

function heard() {
  clearTimeout(watchdog);
  watchdog = setTimeout(() => again(0), SILENCE_MS);
}

async function again(wait) {
  say("lost", words.lost);
  source?.close();
  clearTimeout(watchdog);
  clearTimeout(retry);
  try {
    // a login that ended answers with a redirect: then this page is reloaded, which leads to the login
    const page = await fetch(window.location.href, { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(5_000) });
    if (page.type === "opaqueredirect") window.location.reload();
  } catch {
    // the server is away; the next try tells
  }
  retry = setTimeout(listen, wait);
}

function listen() {
  const address = new URL(board.dataset.stream, window.location.href);
  if (after) address.searchParams.set("after", after);
  source = new EventSource(address);
  heard();
  source.addEventListener("state", (event) => {
    heard();
    if (JSON.parse(event.data).live) {
      say("open", words.open);
      if (Date.now() - whoAsked > WHO_LATER_MS) askWho(); // back after a while
    } else say("lost", words.interrupted);
  });
  source.addEventListener("pulse", () => {
    heard();
    if (Date.now() - whoAsked > WHO_IDLE_MS) askWho();
  });
  source.addEventListener("arrival", (event) => {
    heard();
    after = event.lastEventId;
    show(JSON.parse(event.data));
    whoChanged();
  });
  source.addEventListener("error", () => {
    say("lost", words.lost);
    // EventSource comes back by itself unless the server refused it
    if (source.readyState === EventSource.CLOSED) again(RETRY_MS);
  });
}

window.addEventListener("pagehide", () => source?.close());
window.addEventListener("pageshow", (event) => event.persisted && listen());
listen();
