/* Fields of the form: a label, a control, a hint, and room for what the checker finds there. */

import { button, fresh, h, option, put } from "./dom.js";
import { setAt, valueAt } from "./form.js";

/* A desk binds fields to a form: `form` is the scenario, `changed` is called after each change. */

export function field(keys, label, control, { hint = "", unit = "", target = control } = {}) {
  const id = target.id || (target.id = fresh("field"));
  const fault = h("p", { class: "fault", id: `${id}-fault`, hidden: true });
  const hinted = hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null;
  target.setAttribute("aria-describedby", [hinted?.id, fault.id].filter(Boolean).join(" "));
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label, unit && h("span", { class: "unit" }, ` ${unit}`)),
    control,
    hinted,
    fault,
  );
  return Object.assign(element, { place: { keys, target, fault } });
}

function numeric(input) {
  return input.value.trim() === "" || input.validity.badInput ? null : Number(input.value);
}

/* A number with a slider beside it. `scale` turns what is shown into what is kept (100 for percent). */
export function amount(
  desk,
  keys,
  label,
  { min, max, step, usual = null, unit = "", hint = "", scale = 1, blank = null, also = null },
) {
  const now = valueAt(desk.form, keys);
  const shown = typeof now === "number" ? Number((now * scale).toPrecision(10)) : "";
  const number = h("input", { type: "number", step: "any", value: shown, id: fresh("field") });
  const slider = h("input", {
    type: "range",
    min,
    max,
    step,
    value: shown === "" ? min : shown,
    "aria-label": `${label}, slider`,
  });
  const write = (value) => {
    const kept = value === null ? blank : Number((value / scale).toPrecision(10));
    setAt(desk.form, keys, kept === null && blank === undefined ? undefined : kept);
    also?.(kept);
    desk.changed();
  };
  slider.addEventListener("input", () => {
    number.value = slider.value;
    write(Number(slider.value));
  });
  number.addEventListener("input", () => {
    const value = numeric(number);
    if (value !== null) slider.value = value;
    write(value);
  });
  const at = (value) => `${(100 * (Math.min(Math.max(value, min), max) - min)) / (max - min)}%`;
  const band = usual
    ? h("span", { class: "usual", "aria-hidden": "true", variables: { "--from": at(usual[0]), "--to": at(usual[1]) } })
    : null;
  const pair = h("div", { class: "pair" }, h("span", { class: "track" }, band, slider), number);
  const made = field(keys, label, pair, { hint, unit, target: number });
  made.show = (value) => {
    number.value = Number((value * scale).toPrecision(10));
    slider.value = number.value;
  };
  return made;
}

export function plainNumber(
  desk,
  keys,
  label,
  { unit = "", hint = "", min = null, step = "any", scale = 1, optional = false } = {},
) {
  const now = valueAt(desk.form, keys);
  const input = h("input", {
    type: "number",
    step,
    min,
    value: typeof now === "number" ? Number((now * scale).toPrecision(10)) : "",
    oninput: () => {
      const value = numeric(input);
      setAt(desk.form, keys, value === null ? (optional ? undefined : null) : Number((value / scale).toPrecision(10)));
      desk.changed();
    },
  });
  return field(keys, label, input, { hint, unit });
}

export function words(desk, keys, label, { hint = "", long = false } = {}) {
  const attributes = {
    value: valueAt(desk.form, keys) ?? "",
    spellcheck: "true",
    autocomplete: "off",
    oninput: () => {
      setAt(desk.form, keys, control.value);
      desk.changed();
    },
  };
  const control = h(long ? "textarea" : "input", long ? { rows: 2, ...attributes } : { type: "text", ...attributes });
  return field(keys, label, control, { hint });
}

/* A choice; `options` are [value, label], or {label, options} for a group. `redraw` draws the form anew after it. */
export function choice(desk, keys, label, options, { hint = "", chosen = undefined, write = null } = {}) {
  const now = chosen ?? valueAt(desk.form, keys);
  const made = ([value, text]) => option(String(value), text, String(now));
  const control = h(
    "select",
    {
      onchange: () => {
        if (write) write(control.value);
        else setAt(desk.form, keys, control.value);
        desk.changed({ redraw: true });
      },
    },
    options.map((each) =>
      Array.isArray(each) ? made(each) : h("optgroup", { label: each.label }, each.options.map(made)),
    ),
  );
  return field(keys, label, control, { hint });
}

export function tick(label, checked, write) {
  const box = h("input", { type: "checkbox", checked, onchange: () => write(box.checked) });
  return h("label", { class: "tick" }, box, h("span", {}, label));
}

/* A tick that is a field of its own, with room for what the checker finds at its place. */
export function tickField(keys, label, checked, write, ...inside) {
  const fault = h("p", { class: "fault", hidden: true });
  const box = tick(label, checked, write);
  const element = h("div", { class: "field" }, box, fault, inside);
  return Object.assign(element, { place: { keys, target: box.querySelector("input"), fault } });
}

/* Many ticks from a list, with a search where the list is long. `write` gets the chosen values in the list's order. */
export function several(keys, label, items, chosen, write, { none, search = false } = {}) {
  const set = new Set(chosen);
  const summary = h("summary");
  const fault = h("p", { class: "fault", id: fresh("fault"), hidden: true });
  const labels = new Map(items);
  const tell = () => {
    const names = [...set].map((value) => labels.get(value) ?? value);
    put(
      summary,
      h("b", {}, `${label}: `),
      names.length ? names.slice(0, 4).join(", ") + (names.length > 4 ? ` and ${names.length - 4} more` : "") : none,
    );
  };
  const rows = items.map(([value, text]) => {
    const row = tick(text, set.has(value), (on) => {
      if (on) set.add(value);
      else set.delete(value);
      tell();
      write(items.map(([each]) => each).filter((each) => set.has(each)));
    });
    return Object.assign(row, { words: text.toLowerCase() });
  });
  const find =
    search &&
    h("input", {
      type: "search",
      "aria-label": `Find in ${label.toLowerCase()}`,
      placeholder: "Find",
      autocomplete: "off",
      oninput: () => {
        for (const row of rows) row.hidden = !row.words.includes(find.value.trim().toLowerCase());
      },
    });
  const clear =
    search &&
    button(
      "Clear",
      () => {
        set.clear();
        for (const row of rows) row.querySelector("input").checked = false;
        tell();
        write([]);
      },
      { class: "small" },
    );
  tell();
  const group = h(
    "div",
    { class: `ticks${search ? " many" : ""}`, role: "group", "aria-label": label, tabindex: search ? "0" : null },
    rows,
  );
  const element = h(
    "div",
    { class: "field" },
    h("details", { class: "several" }, summary, search && h("div", { class: "pair" }, find, clear), group),
    fault,
  );
  return Object.assign(element, { place: { keys, target: summary, fault } });
}
