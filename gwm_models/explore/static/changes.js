/* The change of an action: its kinds, the units they take, and the reach of their sliders. */

import { h } from "./dom.js";
import { amount, choice, plainNumber, tickField } from "./fields.js";
import { around, rounded, setAt, valueAt } from "./form.js";
import { short, unitWords, withUnit } from "./words.js";

const KINDS = [
  ["absolute", "Add an amount"],
  ["relative", "Change by a share of its level"],
  ["target", "Bring to a level"],
  ["close_gap", "Close part of a gap"],
  ["to_quantile", "Bring up to a place among the areas"],
];
const BENCHMARKS = {
  median: "the median area",
  best_quintile: "the best fifth",
  mean: "the mean of all areas, by population",
};
const FARTHEST = 1e6; // a size beyond it is a slip of the pen, which the ends of its interval do not follow
const LEVELS = [
  [0.5, "50%"],
  [0.8, "80%"],
  [0.9, "90%"],
  [0.95, "95%"],
];

export function thingOf(action, start) {
  const id = action.indicator ?? action.condition;
  const from = action.condition ? start.conditions : start.indicators;
  return from.find((each) => each.id === id) ?? { id, label: id ?? "", unit: "", direction: 1, step: 1, units: [] };
}

const unitsOf = (kind, thing) => thing.units_by_kind?.[kind] ?? thing.units ?? [];
/* An indicator whose points per unit are not known can only be moved in score points. */
function kindsOf(thing) {
  const known = thing.points_per_unit !== null;
  return KINDS.filter(([kind]) => unitsOf(kind, thing).length > 0 && (known || kind === "absolute"));
}

/* A step of 1, 2 or 5 times a power of ten that cuts a width into about two hundred parts. */
function niceStep(width) {
  const power = 10 ** Math.floor(Math.log10(width / 200));
  return Number(([1, 2, 5, 10].find((each) => width / (each * power) <= 240) * power).toPrecision(3));
}

function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return Number(
    ([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((each) => each * power >= value * 0.999) * power).toPrecision(3),
  );
}

/* Ends and step of the slider of a size, and what is usual: a change in a year, or a level. */
function reach(change, thing) {
  const set = (min, max, usual = null) => ({ min, max, step: niceStep(max - min), usual });
  if (change.kind === "close_gap") return change.unit === "share" ? set(0, 1) : set(0, 100);
  if (change.kind === "relative") return set(-30, 30);
  if (change.kind === "target") return levelReach(thing, set);
  if (change.kind === "to_quantile") return { min: 0.01, max: 0.99, step: 0.01, usual: null };
  if (change.unit === "points") return set(-60, 60);
  const usual = thing.usual_change ?? null;
  const most = roundUp(2 * Math.max(usual ?? 0, 10 * (thing.step || 1)));
  return set(-most, most, usual && [-usual, usual]);
}

function levelReach(thing, set) {
  const [low, high] = (thing.usual ?? []).filter((end) => typeof end === "number");
  if (high === undefined) return thing.unit === "percent" ? set(0, 100) : set(0, 1000);
  const width = (high - low) / 2;
  const least = Math.max(0, low - width);
  return set(rounded(Number(least.toPrecision(2))), rounded(Number((high + width).toPrecision(2))), [low, high]);
}

function defaultChange(kind, thing) {
  const [unit] = unitsOf(kind, thing);
  const sign = thing.direction || 1;
  const middle = (thing.usual ?? [0, 100]).reduce((sum, end) => sum + (end ?? 0), 0) / 2;
  return {
    absolute: { kind, value: rounded(sign * 10 * (unit === "points" ? 1 : thing.step || 1)), unit },
    relative: { kind, value: 5 * sign, unit },
    target: { kind, value: Number(middle.toPrecision(3)), unit },
    close_gap: { kind, value: unit === "share" ? 0.25 : 25, unit, to: "median" },
    to_quantile: { kind, value: 0.5, unit },
  }[kind];
}

/* Writes another kind of change, and how sure its size is. */
function turnTo(action, kind, thing) {
  action.change = defaultChange(kind, thing);
  if (["target", "to_quantile"].includes(kind)) delete action.uncertainty;
  else if (action.uncertainty) action.uncertainty = around(action.change.value);
}

export function changeThing(action, text, start) {
  const [kind, id] = text.split(":");
  delete action.indicator;
  delete action.condition;
  delete action.link;
  action[kind] = id;
  if (kind === "condition") action.link = "within";
  const thing = thingOf(action, start);
  turnTo(action, kindsOf(thing)[0]?.[0] ?? "absolute", thing);
}

export function changeFields(desk, place, start) {
  const keys = ["actions", place, "change"];
  const action = valueAt(desk.form, ["actions", place]);
  const thing = thingOf(action, start);
  const change = (action.change ??= {});
  const limits = reach(change, thing);
  const unit = unitWords(change.unit);
  const sure = sureness(desk, place, limits, unit);
  const units = unitsOf(change.kind, thing);
  return [
    choice(desk, [...keys, "kind"], "What it does", kindsOf(thing), { write: (kind) => turnTo(action, kind, thing) }),
    change.kind === "close_gap" && benchmarkField(desk, keys, start),
    amount(desk, [...keys, "value"], "Size", {
      ...limits,
      unit,
      hint: sizeWords(change, limits),
      also: sure.follow,
    }),
    units.length > 1 &&
      choice(
        desk,
        [...keys, "unit"],
        "Unit",
        units.map((each) => [each, unitWords(each) || each]),
      ),
    sure.fields,
  ];
}

function sizeWords(change, { usual }) {
  if (change.kind === "to_quantile") {
    return "0.5 is the median area, 0.8 the level of the best fifth. Areas that are better stay as they are.";
  }
  if (!usual) return "";
  const [low, high] = usual.map(short);
  const what = change.kind === "target" ? "Usual levels" : "Usual changes";
  return `${what}: ${low} to ${withUnit(high, change.unit)}, the shaded part.`;
}

function benchmarkField(desk, keys, start) {
  const own = valueAt(desk.form, [...keys, "to"]);
  const named = start.benchmarks.map((each) => [each, BENCHMARKS[each] ?? each.replaceAll("_", " ")]);
  const known = [...start.benchmarks, ...start.regions];
  const groups = [
    { label: "Among all areas", options: named },
    { label: "The mean of a region", options: start.regions.map((each) => [each, each]) },
    !known.includes(own) && { label: "An area", options: [[own, own]] },
  ];
  return choice(desk, [...keys, "to"], "Gap to", groups.filter(Boolean));
}

/* How sure the size is. The interval keeps its width when the size moves, until the reader sets it. */
function sureness(desk, place, limits, unit) {
  const keys = ["actions", place, "uncertainty"];
  const action = desk.form.actions[place];
  const sure = action.uncertainty;
  const head = tickField(keys, "The size is not known for certain", Boolean(sure), (on) => {
    if (on) action.uncertainty = around(action.change.value ?? 0);
    else delete action.uncertainty;
    desk.changed({ redraw: true });
  });
  if (!sure) return { fields: [head], follow: null };
  const plain = { min: limits.min, max: limits.max, step: limits.step, unit };
  const low = amount(desk, [...keys, "low"], "From", plain);
  const high = amount(desk, [...keys, "high"], "To", plain);
  const share = choice(desk, [...keys, "level"], "Chance that the interval holds it", LEVELS, {
    chosen: sure.level ?? 0.9,
    write: (value) => setAt(desk.form, [...keys, "level"], Number(value)),
  });
  const across = plainNumber(desk, [...keys, "across_areas"], "Spread between areas", {
    unit: unit && `${unit}, standard deviation`,
    min: 0,
    optional: true,
    hint: "How far the true size differs from area to area; empty: not at all.",
  });
  /* Distances are kept from the last ends that the reader set, so that a slip of the pen does not wear them off. */
  let kept = null;
  const follow = (value) => {
    if (typeof value !== "number" || Math.abs(value) > FARTHEST) return;
    if (typeof sure.low !== "number" || typeof sure.high !== "number") return;
    const set = kept === null || sure.low !== kept.low || sure.high !== kept.high;
    if (set) kept = { below: sure.low - (before ?? value), above: sure.high - (before ?? value) };
    before = value;
    Object.assign(kept, { low: rounded(value + kept.below), high: rounded(value + kept.above) });
    Object.assign(sure, { low: kept.low, high: kept.high });
    low.show(sure.low);
    high.show(sure.high);
  };
  let before = action.change.value;
  return { fields: [head, h("div", { class: "inner" }, low, high, share, across)], follow };
}
