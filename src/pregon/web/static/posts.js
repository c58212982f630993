// Move, split and join the posts of a thread. Without this module a line of --- splits and the place puts in order.

const box = document.getElementById("parts");
const fieldsets = () => [...box.querySelectorAll("fieldset.part")];
const texts = () => fieldsets().map((part) => part.querySelector("textarea").value);

// Make room for `count` posts and the empty one after them, and number everything anew.
export function fitParts(count) {
  if (!box) return;
  while (fieldsets().length < count + 1) box.append(addTools(fieldsets().at(-1).cloneNode(true)));
  for (const extra of fieldsets().slice(count + 1)) extra.remove();
  fieldsets().forEach((part, index) => {
    const last = index === count;
    part.querySelector("legend").textContent = last ? "Another post" : `Post ${index + 1}`;
    for (const name of ["part", "place"]) {
      const field = part.querySelector(`[name=${name}]`);
      field.id = `${name}-${index + 1}`;
      field.closest(".field").querySelector("label").htmlFor = field.id;
    }
    part.querySelector("[name=place]").value = index + 1;
  });
}

function write(values, focus) {
  const filled = values.filter((value) => value.trim());
  fitParts(filled.length);
  fieldsets().forEach((part, index) => (part.querySelector("textarea").value = filled[index] ?? ""));
  fieldsets()[Math.min(focus, filled.length)].querySelector("textarea").focus();
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

function swap(at, other) {
  const values = texts();
  if (!values[at]?.trim() || !values[other]?.trim()) return;
  [values[at], values[other]] = [values[other], values[at]];
  write(values, other);
}

function split(at) {
  const values = texts();
  const cut = fieldsets()[at].querySelector("textarea").selectionStart;
  values.splice(at, 1, values[at].slice(0, cut).trimEnd(), values[at].slice(cut).trimStart());
  write(values, at + 1);
}

function join(at) {
  const values = texts();
  if (!values[at + 1]?.trim()) return;
  values.splice(at, 2, `${values[at]}\n\n${values[at + 1]}`);
  write(values, at);
}

const tools = { "Move up": (at) => swap(at, at - 1), "Move down": (at) => swap(at, at + 1), "Split at the cursor": split };
tools["Join with the next"] = join;

function addTools(part) {
  part.querySelector(".tools")?.remove();
  const row = document.createElement("p");
  row.className = "tools";
  for (const [name, act] of Object.entries(tools)) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => act(fieldsets().indexOf(part)));
    row.append(button);
  }
  part.append(row);
  part.querySelector(".place").hidden = true;
  return part;
}

if (box) fieldsets().forEach(addTools);
