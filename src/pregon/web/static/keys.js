// Keys for people who do this every morning. Every one of them only moves, opens or shows; none decides.

const rows = [...document.querySelectorAll(".campaign-row h3 a")];
const drafts = [...document.querySelectorAll("article.draft")];
const typing = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;
drafts.forEach((draft) => (draft.tabIndex = -1));

function current(list) {
  return list.findIndex((entry) => entry.contains(document.activeElement));
}

function move(step) {
  const list = rows.length ? rows : drafts;
  if (!list.length) return;
  const at = current(list);
  const next = at < 0 ? (step > 0 ? 0 : list.length - 1) : Math.min(Math.max(at + step, 0), list.length - 1);
  list[next].focus();
  list[next].scrollIntoView({ block: "nearest" });
}

function prepareApproval() {
  if (rows.length) {
    const row = rows[current(rows)];
    if (row) location.assign(`${row.pathname}#approve`);
    return;
  }
  const draft = drafts[current(drafts)] ?? document;
  const details = draft.querySelector("details:has(button[value='approved']), details.approve-all");
  if (!details) return;
  details.open = true;
  details.querySelector("form button").focus();
}

if (location.hash === "#approve") prepareApproval();

const keys = {
  j: () => move(1),
  k: () => move(-1),
  a: prepareApproval,
  e: () => (drafts[current(drafts)] ?? document).querySelector("article.draft a[href$='/edit'], a[href$='/edit']")?.click(),
  i: () => location.assign("/"),
  "?": () => document.getElementById("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
