/* The form is a scenario file as plain data, its top parts laid flat; these functions make new ones and read or write single places in it. */

const LAG = { years: 2, build_up: 5 };

export function emptyForm(start) {
  return {
    id: "my-scenario",
    title: "My scenario",
    question: "What changes?",
    edition: start.edition.id,
    rescale: "frozen",
    counterfactual: "held",
    start: 2026,
    end: 2035,
    actions: [],
    health: start.outcomes.slice(0, 2).map((outcome) => newHealth(outcome.id)),
    draws: start.draws,
    seed: 20260101,
  };
}

export function newHealth(outcome) {
  return { outcome, link: "within", lag: { ...LAG } };
}

/* An action on an indicator: a common size, in the lowest twenty areas, phased in over the first years. */
export function newAction(form, indicator) {
  const inPoints = !(indicator.units_by_kind?.absolute ?? []).some((unit) => unit !== "points");
  const unit = indicator.units_by_kind?.absolute?.[0] ?? "points";
  const value = rounded((indicator.direction || 1) * 10 * (inPoints ? 1 : indicator.step));
  return {
    id: freeId(form, indicator.id),
    indicator: indicator.id,
    change: { kind: "absolute", value, unit },
    uncertainty: around(value),
    target: { worst: { by: "total", n: 20 } },
    phasing: phasingOf(form),
  };
}

export function phasingOf(form) {
  return { start: form.start, full_by: Math.min(form.start + 3, form.end), shape: "linear" };
}

export function around(value) {
  const half = Math.abs(value) / 2;
  return { low: rounded(value - half), high: rounded(value + half), level: 0.9 };
}

export const rounded = (value) => Number(value.toPrecision(6));

export function freeId(form, stem) {
  const slug = slugOf(stem) || "action";
  const taken = new Set((form.actions ?? []).map((action) => action.id));
  let id = slug;
  for (let count = 2; taken.has(id); count += 1) id = `${slug}-${count}`;
  return id;
}

export function slugOf(text) {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 50);
}

export function valueAt(form, keys) {
  return keys.reduce((part, key) => (part === null || part === undefined ? undefined : part[key]), form);
}

/* Writes one place; parts on the way are made where they are missing, and undefined takes the key away. */
export function setAt(form, keys, value) {
  let part = form;
  keys.slice(0, -1).forEach((key, depth) => {
    part[key] ??= typeof keys[depth + 1] === "number" ? [] : {};
    part = part[key];
  });
  const last = keys.at(-1);
  if (value === undefined) delete part[last];
  else part[last] = value;
}

/* The name by which the checker calls a place: an item of a list goes by its id, or by its number from 1. */
export function nameOf(form, keys) {
  return keys
    .map((key, depth) => {
      if (typeof key !== "number") return key;
      const id = valueAt(form, [...keys.slice(0, depth + 1), "id"]);
      return typeof id === "string" && id.length > 0 && id.length <= 80 ? id : String(key + 1);
    })
    .join(".");
}
