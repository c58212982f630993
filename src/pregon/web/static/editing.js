// Live checks and weighted counts while typing, the form's own buttons without a new page, and a copy of unsaved work
// in this browser. Counting, splitting and joining are the server's, so that what is shown is what will be checked;
// without this module the same buttons send the form and bring it back.

const form = document.getElementById("edit");
const live = document.getElementById("live");
const fields = () => document.getElementById("fields");
const key = `pregon-draft-${form.dataset.draft}-${form.dataset.base}`;
let waiting = 0;
let asked = 0;

// What the form holds, without what belongs to this page alone and without files, which no copy can hold.
function entries(data = new FormData(form)) {
  return [...data].filter(([name, value]) => typeof value === "string" && !["csrf", "base", "cursor", "act"].includes(name));
}
const read = () => JSON.stringify(entries());
const atFirst = read();

function tell(level, text) {
  const line = document.createElement("p");
  line.className = `notice ${level}`;
  line.textContent = text;
  live.append(line);
}

function show(found) {
  live.replaceChildren();
  for (const check of found.checks) tell(check.level, `${check.message} ${check.fix}`);
  for (const [id, text] of [["send-when", found.when], ["audience-count", found.whom]]) {
    const line = document.getElementById(id);
    if (line && text !== undefined) line.textContent = text;
  }
  const filled = [...form.querySelectorAll("fieldset.part")].filter((part) => part.querySelector("textarea[name=part]").value.trim());
  // A reordered post no longer stands beside its own count, so counts show only while they agree.
  for (const count of form.querySelectorAll(".count")) count.textContent = "";
  if (filled.length !== found.weights.length) return;
  filled.forEach((part, index) => {
    const line = part.querySelector(".weight");
    line.classList.toggle("over", found.weights[index] > found.limit);
    line.querySelector(".count").textContent = `${found.weights[index]} / ${found.limit}`;
  });
}

async function check() {
  const turn = ++asked;
  const data = new FormData(form);
  for (const [name, value] of [...data]) if (typeof value !== "string") data.delete(name);
  try {
    const answer = await fetch(`/drafts/${form.dataset.draft}/check`, { method: "POST", body: data });
    if (answer.ok && turn === asked) show(await answer.json());
  } catch {
    // No connection: saving will say so; typing goes on.
  }
}

function keep() {
  const now = read();
  try {
    if (now === atFirst) localStorage.removeItem(key);
    else localStorage.setItem(key, now);
  } catch {
    // A full or closed store: the page works without the copy.
  }
}

// Send the form to the server, which changes it and stores nothing, and put what comes back in its place.
async function change(data) {
  // What would be typed or pressed meanwhile would be lost with the fields that are replaced.
  fields().inert = true;
  let answer;
  try {
    answer = await fetch(form.action, { method: "POST", body: data });
  } catch {
    fields().inert = false;
    return false;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const changed = page.getElementById("fields");
  if (!changed) {
    fields().inert = false;
    live.replaceChildren();
    tell("error", page.querySelector("main p")?.textContent ?? answer.statusText);
    return false;
  }
  fields().replaceWith(changed);
  keep();
  await check();
  return true;
}

async function act(button) {
  const part = button.closest("fieldset");
  const text = part?.querySelector("textarea[name=part]");
  const at = [...form.querySelectorAll("fieldset.part")].indexOf(part);
  const data = new FormData(form, button);
  data.set("cursor", text ? text.selectionStart : 0);
  if (!(await change(data))) return;
  const [name] = button.value.split(":");
  const next = at + ({ up: -1, down: 1, split: 1 }[name] ?? 0);
  form.querySelectorAll("fieldset.part")[Math.max(next, 0)]?.querySelector("textarea[name=part]").focus();
}

async function restore() {
  const kept = localStorage.getItem(key);
  if (!kept || kept === atFirst) return;
  const data = new FormData();
  for (const name of ["csrf", "base"]) data.set(name, form.elements[name].value);
  for (const [name, value] of JSON.parse(kept)) data.append(name, value);
  data.set("act", "show");
  if (await change(data)) tell("warning", form.dataset.restored);
}

form.addEventListener("input", () => {
  keep();
  clearTimeout(waiting);
  waiting = setTimeout(check, 350);
});
form.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=act]");
  if (!button) return;
  event.preventDefault();
  act(button);
});
// Once saved, the next page has another base revision: what was kept for older ones is no longer needed.
for (const old of Object.keys(localStorage)) {
  if (old.startsWith(`pregon-draft-${form.dataset.draft}-`) && old !== key) localStorage.removeItem(old);
}
form.querySelector(".save-bar a")?.addEventListener("click", () => localStorage.removeItem(key));
form.classList.add("scripted");
await restore();
if (form.querySelector("fieldset.part")) check();
