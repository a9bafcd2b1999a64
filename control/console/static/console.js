// What pages do beside their forms and links: copy, the theme, `/`, and parts that follow an event stream. Every page
// works without it.
"use strict";

const THEME = "archway-theme";

function dark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function switchTheme() {
  const theme = dark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  document.cookie = `${THEME}=${theme}; Path=/; Max-Age=31536000; SameSite=Lax`;
}

async function copy(button) {
  const label = button.querySelector("span");
  const before = label.textContent;
  try {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    label.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
    label.textContent = "Press Ctrl+C";
  }
  announce(label.textContent);
  setTimeout(() => { label.textContent = before; }, 2000);
}

// For those who hear the page: one place that is read out when its text changes.
function announce(text) {
  let place = document.getElementById("announced");
  if (!place) {
    place = document.createElement("p");
    place.id = "announced";
    place.className = "unseen";
    place.setAttribute("role", "status");
    document.body.append(place);
  }
  place.textContent = text;
}

// `<div data-live="/path">`: each event of the stream is this part as the server renders it now. The stream ends
// with an event `done`; the browser opens one that broke again by itself, and one that was refused is asked for again.
// `data-renews="id"`: a part of the page that is shown as it is by now whenever this one is another.
const AGAIN_AFTER_MS = 5000;

function follow(part) {
  const stream = new EventSource(part.dataset.live);
  stream.addEventListener("part", (event) => {
    if (part.dataset.paused || shows(part, event.data)) return;
    const log = part.querySelector(".log");
    const seen = log && log.scrollTop + log.clientHeight < log.scrollHeight - 8 ? log.scrollTop : undefined;
    part.innerHTML = event.data;
    scrollLog(part, seen);
    if (part.dataset.renews) renew(part.dataset.renews);
  });
  stream.addEventListener("done", () => {
    stream.close();
    if (part.dataset.renews) renew(part.dataset.renews);
  });
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => follow(part), AGAIN_AFTER_MS);
  });
  addEventListener("pagehide", () => stream.close(), { once: true });
}

function shows(part, html) {
  const now = document.createElement(part.tagName);
  now.innerHTML = html;
  const bare = (element) => element.innerHTML.replace(/\s+/g, " ").trim();
  return bare(now) === bare(part);
}

// A log shows its end, and what comes, until its reader goes up in it.
function scrollLog(place, top) {
  const log = place.querySelector(".log");
  if (log) log.scrollTop = top === undefined ? log.scrollHeight : top;
}

function pause(button) {
  const part = document.getElementById(button.dataset.pause);
  const paused = !part.dataset.paused;
  if (paused) part.dataset.paused = "true";
  else delete part.dataset.paused;
  button.setAttribute("aria-pressed", String(paused));
}

async function renew(id) {
  const answer = await fetch(location.pathname);
  if (!answer.ok) return;
  const now = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
  if (now) document.getElementById(id).replaceWith(now);
}

// Boxes of a list that is looked through (`data-picks`): what was ticked or unticked is kept while a search shows other
// rows, in hidden fields of the form that all boxes belong to, and comes back with its row.
const picked = new Map();

function wasOf(box) {
  return document.querySelector(`[data-picks] [name="was:${box.name.slice(5)}"]`);
}

function changedBoxes() {
  const boxes = [...document.querySelectorAll("[data-pick]:not(:disabled)")];
  return boxes.filter((box) => box.checked !== Boolean(wasOf(box)));
}

function keepPicks() {
  for (const box of document.querySelectorAll("[data-pick]")) picked.delete(box.name);
  for (const box of changedBoxes()) picked.set(box.name, { checked: box.checked, was: wasOf(box)?.value });
}

// What the server carried over with a form that it refused.
function takeCarried() {
  for (const field of document.querySelectorAll("[data-kept] input")) {
    const [kind, tool] = field.name.split(":");
    const pick = picked.get(`tool:${tool}`) || { checked: false };
    if (kind === "tool") pick.checked = true;
    else pick.was = field.value;
    picked.set(`tool:${tool}`, pick);
  }
}

function showPicks() {
  const kept = document.querySelector("[data-kept]");
  if (!kept) return;
  kept.replaceChildren();
  for (const [name, pick] of picked) {
    const box = document.getElementById(name);
    if (box) box.checked = pick.checked;
    else if (pick.checked) kept.append(hidden(name, "true"));
    else if (pick.was) kept.append(hidden(`was:${name.slice(5)}`, pick.was));
  }
  countPicks();
}

function hidden(name, value) {
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name, value });
  return field;
}

function countPicks() {
  const place = document.querySelector("[data-picked]");
  if (!place) return;
  const number = changedBoxes().length + document.querySelectorAll("[data-kept] input").length;
  place.textContent = number ? `${number} to save` : "";
  for (const all of document.querySelectorAll("[data-all]")) {
    const boxes = [...all.closest(".pick").querySelectorAll("[data-pick=tool]")];
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
  }
}

document.addEventListener("htmx:before:swap", keepPicks);
document.addEventListener("htmx:after:settle", showPicks);
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-all]")) {
    const boxes = event.target.closest(".pick").querySelectorAll("[data-pick=tool]:not(:disabled)");
    for (const box of boxes) box.checked = event.target.checked;
  }
  if (event.target.matches("[data-all], [data-pick]")) countPicks();
});
// A form that is sent from wherever a search has led: its answer shows the same search again.
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-here]")) event.target.action = location.pathname + location.search;
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-pause], [data-theme-switch]");
  if (!button) return;
  if (button.dataset.copy) copy(button);
  else if (button.dataset.pause) pause(button);
  else switchTheme();
});

// A file that is read here, into a field of the form: `data-reads` names it. Nothing is sent by that.
document.addEventListener("change", async (event) => {
  const [file] = event.target.dataset.reads ? event.target.files : [];
  if (file) document.getElementById(event.target.dataset.reads).value = await file.text();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const find = document.querySelector("[data-slash]");
  if (!find) return;
  event.preventDefault();
  find.focus();
  find.select();
});

document.documentElement.classList.add("scripted");
for (const part of document.querySelectorAll("[data-live]")) follow(part);
scrollLog(document);
takeCarried();
countPicks();
