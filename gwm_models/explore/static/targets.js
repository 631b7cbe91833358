/* Where an action works: regions, areas by name, and the lowest or highest of what is left. */

import { h } from "./dom.js";
import { amount, choice, several } from "./fields.js";
import { rounded, valueAt } from "./form.js";
import { short } from "./words.js";

export function targetFields(desk, place, start, areas) {
  const keys = ["actions", place, "target"];
  const target = (desk.form.actions[place].target ??= { everyone: true });
  const write = (key, chosen) => {
    if (chosen.length) target[key] = chosen;
    else delete target[key];
    mendTarget(target);
    desk.changed();
  };
  const items = areas
    .map((row) => [row.area_name, row.area_name])
    .sort(([one], [other]) => one.localeCompare(other, "en-GB"));
  const byCode = new Map(areas.map((row) => [row.area_code, row.area_name]));
  const named = (codes) => (codes ?? []).map((each) => byCode.get(each) ?? each);
  const pick = target.worst ? "worst" : target.best ? "best" : "all";
  const choose = choice(
    desk,
    keys,
    "Of these, take",
    [
      ["all", "all of them"],
      ["worst", "the lowest"],
      ["best", "the highest"],
    ],
    {
      chosen: pick,
      write: (wanted) => turnPick(target, pick, wanted),
    },
  );
  return [
    several(
      [...keys, "regions"],
      "Regions",
      start.regions.map((name) => [name, name]),
      target.regions ?? [],
      (chosen) => write("regions", chosen),
      { none: "all regions" },
    ),
    several([...keys, "areas"], "Only these areas", items, named(target.areas), (chosen) => write("areas", chosen), {
      none: "any area",
      search: true,
    }),
    choose,
    pick !== "all" && pickFields(desk, [...keys, pick], start, areas),
    several([...keys, "exclude"], "Leave out", items, named(target.exclude), (chosen) => write("exclude", chosen), {
      none: "no area",
      search: true,
    }),
  ];
}

const FILTERS = ["areas", "regions", "worst", "best"];

/* A target without any filter means all areas, which the file says in so many words. */
function mendTarget(target) {
  if (FILTERS.some((key) => target[key])) delete target.everyone;
  else target.everyone = true;
}

function turnPick(target, pick, wanted) {
  const before = target[pick] ?? { by: "total", n: 20 };
  delete target.worst;
  delete target.best;
  if (wanted !== "all") target[wanted] = before;
  mendTarget(target);
}

function pickFields(desk, keys, start, areas) {
  const by = [["total", "total score"], ...start.domains.map((each) => [each.id, each.label])];
  const groups = [
    { label: "Scores", options: by },
    { label: "Indicators", options: start.indicators.map((each) => [each.id, each.label]) },
  ];
  const chosen = valueAt(desk.form, keys);
  const byShare = "quantile" in chosen;
  const told = choice(
    desk,
    keys,
    "Given as",
    [
      ["n", "a number of areas"],
      ["quantile", "a share of the areas"],
    ],
    { chosen: byShare ? "quantile" : "n", write: (wanted) => turnSize(chosen, wanted, leftOf(valueAt(desk.form, keys.slice(0, -1)), areas)) },
  );
  const size = byShare
    ? amount(desk, [...keys, "quantile"], "Share of the areas", {
        min: 1,
        max: 99,
        step: 1,
        unit: "%",
        scale: 100,
        hint: "Of those in the regions and areas chosen, without those left out.",
      })
    : amount(desk, [...keys, "n"], "How many areas", { min: 1, max: areas.length, step: 1 });
  return h("div", { class: "inner" }, told, size, choice(desk, [...keys, "by"], "By", groups));
}

/* How many areas are left to pick from. */
function leftOf({ regions, areas: named, exclude }, areas) {
  const holds = (list, row) => list.includes(row.area_name) || list.includes(row.area_code);
  const left = areas.filter(
    (row) =>
      (!regions || regions.includes(row.region_name)) &&
      (!named || holds(named, row)) &&
      !(exclude && holds(exclude, row)),
  );
  return Math.max(1, left.length);
}

/* The same size as a share of the areas left instead of their number, or the other way round. */
function turnSize(chosen, wanted, count) {
  const { n, quantile } = chosen;
  delete chosen.n;
  delete chosen.quantile;
  if (wanted === "n") chosen.n = Math.max(1, Math.round((quantile ?? 0.2) * count));
  else chosen.quantile = rounded(Math.min(0.99, Math.max(0.01, Math.round((100 * (n ?? 20)) / count) / 100)));
}

const pickWords = ({ n, quantile }) => (typeof quantile === "number" ? `${short(100 * quantile)}%` : (n ?? ""));

export function reachWords({ target = {} }) {
  const parts = [
    target.regions?.join(", "),
    target.areas && `${target.areas.length} named`,
    target.worst && `lowest ${pickWords(target.worst)}`.trim(),
    target.best && `highest ${pickWords(target.best)}`.trim(),
  ];
  return parts.filter(Boolean).join(", ") || "all areas";
}
