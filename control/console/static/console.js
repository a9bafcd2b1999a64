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
const AGAIN_AFTER_MS = 5000;

function follow(part) {
  const stream = new EventSource(part.dataset.live);
  stream.addEventListener("part", (event) => {
    if (part.innerHTML.trim() !== event.data.trim()) part.innerHTML = event.data;
  });
  stream.addEventListener("done", () => stream.close());
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => follow(part), AGAIN_AFTER_MS);
  });
  addEventListener("pagehide", () => stream.close(), { once: true });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-theme-switch]");
  if (!button) return;
  if (button.dataset.copy) copy(button);
  else switchTheme();
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
