// Live checks and weighted counts while typing, and a copy of unsaved work in this browser.
// The counting itself is the server's, so that what is shown is what will be checked.

import { fitParts } from "./posts.js";

const form = document.getElementById("edit");
const live = document.getElementById("live");
const key = `pregon-draft-${form.dataset.draft}-${form.dataset.base}`;
const named = () => [...form.elements].filter((field) => field.name && !["csrf", "base"].includes(field.name));
const read = () => JSON.stringify(named().map((field) => (field.type === "checkbox" ? field.checked : field.value)));
const atFirst = read();
let waiting = 0;
let asked = 0;

function tell(level, text) {
  const line = document.createElement("p");
  line.className = `notice ${level}`;
  line.textContent = text;
  live.append(line);
}

function show(found) {
  live.replaceChildren();
  for (const check of found.checks) tell(check.level, `${check.message} ${check.fix}`);
  const filled = [...form.querySelectorAll("fieldset.part")].filter((part) => part.querySelector("textarea").value.trim());
  // A split or a reordered post no longer stands beside its own count, so counts show only while they agree.
  for (const count of form.querySelectorAll(".count")) count.textContent = "";
  if (filled.length !== found.weights.length) return;
  filled.forEach((part, index) => {
    const line = part.querySelector(".weight");
    line.classList.toggle("over", found.weights[index] > 280);
    line.querySelector(".count").textContent = `${found.weights[index]} / 280`;
  });
}

async function check() {
  const turn = ++asked;
  try {
    const answer = await fetch(`/drafts/${form.dataset.draft}/check`, { method: "POST", body: new FormData(form) });
    if (answer.ok && turn === asked) show(await answer.json());
  } catch {
    // No connection: saving will say so; typing goes on.
  }
}

function keep() {
  const now = read();
  if (now === atFirst) localStorage.removeItem(key);
  else localStorage.setItem(key, now);
}

function restore() {
  const kept = localStorage.getItem(key);
  if (!kept || kept === atFirst) return;
  const values = JSON.parse(kept);
  // Each post has two fields, its text and its place; the time of sending is the one field besides.
  if (document.getElementById("parts")) fitParts((values.length - 1) / 2 - 1);
  const fields = named();
  if (values.length !== fields.length) return;
  fields.forEach((field, index) => {
    if (field.type === "checkbox") field.checked = values[index];
    else field.value = values[index];
  });
  tell("warning", "This is what you had not saved when you left. Leave without saving to drop it.");
}

form.addEventListener("input", () => {
  keep();
  clearTimeout(waiting);
  waiting = setTimeout(check, 350);
});
// Once saved, the next page has another base revision: what was kept for older ones is no longer needed.
for (const old of Object.keys(localStorage)) {
  if (old.startsWith(`pregon-draft-${form.dataset.draft}-`) && old !== key) localStorage.removeItem(old);
}
form.querySelector(".save-bar a")?.addEventListener("click", () => localStorage.removeItem(key));
restore();
if (form.querySelector("fieldset.part")) check();
