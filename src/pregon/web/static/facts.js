// Hovering or focusing a fact of a draft lights up the sentence of the source that it came from.
// Without this module the same links jump to the place in the source.

function placeOf(link) {
  return document.getElementById(decodeURIComponent(link.hash.slice(1)));
}

function dim() {
  for (const lit of document.querySelectorAll(".source .lit")) lit.classList.remove("lit");
}

function light(link) {
  const place = placeOf(link);
  dim();
  if (!place) return;
  place.classList.add("lit");
  place.closest(".sentence")?.classList.add("lit");
  // What stands in a version that is folded away is shown.
  const version = place.closest("details.version");
  if (version) version.open = true;
  const pane = place.closest(".source-text");
  // Only the pane scrolls, never the page under the reader's pointer.
  const frame = pane.getBoundingClientRect();
  const seen = Math.min(frame.bottom, innerHeight) - frame.top;
  const offset = place.getBoundingClientRect().top - frame.top;
  if (offset < 0 || offset > seen - 40) pane.scrollTop += offset - seen / 3;
}

for (const link of document.querySelectorAll("a.fact")) {
  link.addEventListener("mouseenter", () => light(link));
  link.addEventListener("focus", () => light(link));
  link.addEventListener("mouseleave", dim);
  link.addEventListener("blur", dim);
}
