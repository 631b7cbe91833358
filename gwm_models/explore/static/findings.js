/* What the checker found: at the field it is about, and all of it in one list. */

import { button, h, put } from "./dom.js";
import { nameOf } from "./form.js";
import { counted } from "./words.js";

function within(path, name) {
  return path === name || path.startsWith(`${name}.`) || name === "";
}

/* The field whose name is the longest that holds the path; failing that, the first field below the path. */
function fieldOf(path, named) {
  const holding = named
    .filter(({ name }) => within(path, name))
    .sort((one, other) => other.name.length - one.name.length);
  return holding[0] ?? named.find(({ name }) => within(name, path)) ?? null;
}

function sentence(finding) {
  const what = [finding.what, finding.fix].filter(Boolean).join(": ");
  return what.charAt(0).toUpperCase() + what.slice(1) + (/[.!?]$/.test(what) ? "" : ".");
}

/* What the reader calls a field: the action it is of, and its label. */
function labelOf({ element, keys }) {
  const [list, place] = keys;
  const label = element.querySelector("label.tick span, label, summary b")?.firstChild?.textContent ?? "";
  const words = label.replace(/: $/, "");
  return list === "actions" && typeof place === "number" ? `Action ${place + 1}: ${words}` : words;
}

export function showFindings(root, list, form, findings) {
  const named = [...root.querySelectorAll(".field")]
    .filter((each) => each.place)
    .map((element) => ({ element, ...element.place, name: nameOf(form, element.place.keys) }));
  const told = new Map();
  const items = findings.map((finding) => {
    const found = fieldOf(finding.field ?? finding.path ?? "", named);
    if (found) told.set(found, [...(told.get(found) ?? []), finding]);
    return h(
      "li",
      { class: finding.severity },
      h("b", {}, finding.severity === "error" ? "To mend: " : "Take care: "),
      found
        ? button(labelOf(found), () => reveal(found), { class: "link" })
        : h("span", {}, finding.path || "The scenario"),
      `. ${sentence(finding)}`,
    );
  });
  for (const each of named) {
    const mine = told.get(each) ?? [];
    const faulty = mine.some((finding) => finding.severity === "error");
    put(
      each.fault,
      mine.map((finding) => h("span", { class: finding.severity }, sentence(finding))),
    );
    each.fault.hidden = mine.length === 0;
    each.element.classList.toggle("faulty", faulty);
    if (each.target.matches("input, select, textarea")) {
      if (faulty) each.target.setAttribute("aria-invalid", "true");
      else each.target.removeAttribute("aria-invalid");
    }
  }
  const errors = findings.filter((finding) => finding.severity === "error").length;
  put(
    list,
    findings.length > 0 && h("h3", {}, errors ? counted(errors, "thing to mend", "things to mend") : "To take care of"),
    findings.length > 0 && h("ul", {}, items),
  );
  list.hidden = findings.length === 0;
  list.classList.toggle("bad", errors > 0);
}

function reveal({ target }) {
  for (let part = target.parentElement; part; part = part.parentElement)
    if (part.tagName === "DETAILS") part.open = true;
  target.focus();
  target.scrollIntoView({ block: "center" });
}
