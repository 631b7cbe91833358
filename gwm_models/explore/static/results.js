/* What a projection found: headline, key figures, figures and tables, drawn anew in place after each change. */

import { figure } from "./charts.js";
import { h, list, put } from "./dom.js";
import { address } from "./state.js";
import { table } from "./table.js";
import {
  GAP,
  chance,
  counted,
  interval,
  levelWords,
  listed,
  missing,
  number,
  placesFor,
  sentences,
  unitWords,
} from "./words.js";

export function keyFigures(figures) {
  return h(
    "ul",
    { class: "keys" },
    figures.map((each) =>
      h(
        "li",
        {},
        h("span", { class: "label" }, each.label),
        h(
          "span",
          { class: "value" },
          each.text,
          each.unit && h("span", { class: "unit" }, each.unit === "%" ? "%" : `\u00a0${each.unit}`),
        ),
        h("span", { class: "span" }, each.span),
        h("span", { class: "aside" }, each.note),
      ),
    ),
  );
}

/* A headline whose first sentence is large. */
export function answer(text, level = "h2") {
  const [first, ...rest] = sentences(text);
  return [h(level, { class: "headline" }, first), rest.length > 0 && h("p", { class: "lead" }, rest.join(" "))];
}

const still = (row) => row.difference === 0 && row.difference_lower === row.difference_upper;

function areaColumns(level) {
  const unit = levelWords(level);
  const score = (id, sign = false) => (row) => [
    number(row[id], 1, sign),
    interval(row[`${id}_lower`], row[`${id}_upper`]),
  ];
  const rank = (id) => (row) => [number(row[id], 0), interval(row[`${id}_lower`], row[`${id}_upper`], 0)];
  const link = (row) => h("a", { href: address("area", {}, row.area_code) }, row.area_name);
  return [
    { id: "area_name", title: "Area", cell: (row) => [link(row), row.region_name] },
    { id: "before", title: "Score before", unit, numeric: true, cell: score("before") },
    { id: "after", title: "Score after", unit, numeric: true, cell: score("after") },
    {
      id: "difference",
      title: "Change",
      unit,
      numeric: true,
      cell: (row) => (still(row) ? number(0, 1) : score("difference", true)(row)),
    },
    {
      id: "prob_better",
      title: "Chance that it is better",
      numeric: true,
      cell: (row) => (still(row) ? GAP : chance(row.prob_better)),
    },
    { id: "rank_before", title: "Rank before", unit, numeric: true, first: 1, cell: rank("rank_before") },
    { id: "rank_after", title: "Rank after", unit, numeric: true, first: 1, cell: rank("rank_after") },
  ];
}

/* Rows of one thing in three states (before, after, difference) as one row each, by a key. */
function byState(rows, key) {
  const found = new Map();
  for (const row of rows ?? []) found.set(row[key], { ...(found.get(row[key]) ?? row), [row.state]: row });
  return [...found.values()];
}

function stateTable(caption, first, last, rows) {
  const unmoved = (row) => row && row.estimate === 0 && row.lower === row.upper;
  const cell = (state, sign) => (each) => {
    const row = each[state];
    if (!row || missing(row.estimate)) return GAP;
    if (sign && unmoved(row)) return "0";
    const places = placesFor(each.unit, [row.estimate]);
    return [number(row.estimate, places, sign), interval(row.lower, row.upper, places)];
  };
  const columns = [
    first,
    { title: "Before", numeric: true, cell: cell("baseline") },
    { title: "After", numeric: true, cell: cell("scenario") },
    { title: "Difference", numeric: true, cell: cell("difference", true) },
    {
      title: last.title,
      numeric: true,
      cell: (row) => (unmoved(row.difference) ? GAP : chance(row.difference?.[last.id])),
    },
  ];
  return table({ caption, columns, rows }).element;
}

function groupTable(rows, level) {
  return stateTable(
    `Mean score of groups of areas, in points. ${levelWords(level)} below each estimate.`,
    { title: "Group", cell: (row) => [row.group, row.n_areas ? counted(row.n_areas, "area", "areas") : ""] },
    { title: "Chance that it is better", id: "prob_better" },
    byState(
      rows.filter((row) => row.quantity === "total"),
      "group",
    ),
  );
}

function inequalityTable(rows, level) {
  return stateTable(
    `Measures of inequality between areas. ${levelWords(level)} below each estimate.`,
    { title: "Measure", cell: (row) => [row.label, unitWords(row.unit)] },
    { title: "Chance that it narrows", id: "prob_narrower" },
    byState(rows, "label"),
  );
}

function reached(target) {
  const names = target.areas.map((area) => area.area_name);
  return h("li", {}, h("b", {}, target.action), `: ${counted(names.length, "area", "areas")}. ${listed(names, 24)}.`);
}

/* Makes the empty panel of results; `update` fills it with an answer of the server. */
export function resultsPanel({ onArea }) {
  const top = h("div", { class: "answer" });
  const figures = {
    map: figure("Map of change", { onArea }),
    scores: figure("Score before and after"),
    years: figure("Change over the years"),
    ranks: figure("Ranks before and after", { wide: true }),
    health: figure("Health, by three readings of the link", { wide: true }),
    layers: figure("Where the uncertainty comes from", { wide: true }),
  };
  const rest = h("div");
  const charts = Object.values(figures).map((each) => each.element);
  const element = h("div", { class: "results" }, top, charts, rest);
  for (const each of charts) each.hidden = true;
  const sorted = { id: "difference", direction: -1 };

  function update(answered) {
    const level = levelWords(answered.level);
    const words = {
      map: `Change of the score by ${answered.year}, the mean of the draws. Choose a tile for the page of its area.`,
      scores: `Scores before and in ${answered.year}, with the ${level} of those after.`,
      years: `Mean change of the score in each year, with its ${level}.`,
      ranks: `Ranks and their ${level}s. Rank 1 is the highest score.`,
      health:
        "Health follows the score by the slope stated in the form; the other readings stand beside it, since the link is not settled.",
      layers: "Shares of the variance of each result by what is not known.",
    };
    put(top, answer(answered.headline), keyFigures(answered.key_figures ?? []), cautions(answered.warnings));
    for (const [name, each] of Object.entries(figures)) each.update(answered.charts[name], words[name]);
    put(rest, tables(answered), assumptions(answered), took(answered));
  }

  function tables(answered) {
    const changed = answered.areas.filter((row) => row.treated || !still(row));
    return [
      answered.targets?.length > 0 &&
        h("section", {}, h("h3", {}, "Areas reached"), h("ul", {}, answered.targets.map(reached))),
      answered.groups?.length > 0 &&
        h("section", {}, h("h3", {}, "Regions and groups"), groupTable(answered.groups, answered.level)),
      answered.inequality?.length > 0 &&
        h("section", {}, h("h3", {}, "Inequality between areas"), inequalityTable(answered.inequality, answered.level)),
      changed.length > 0 &&
        h(
          "section",
          {},
          h("h3", {}, "Areas that change"),
          table({
            caption: `${counted(changed.length, "area changes", "areas change")} by ${answered.year}. Scores are means and ranks medians of the draws.`,
            columns: areaColumns(answered.level),
            rows: changed,
            tall: true,
            sorted: { ...sorted },
            onSort: (now) => Object.assign(sorted, now),
          }).element,
        ),
    ];
  }
  return { element, update };
}

export function cautions(warnings) {
  return warnings?.length > 0 && h("div", { class: "warnings" }, h("h3", {}, "Take care"), list(warnings));
}

export function assumptions(answered) {
  return answered.assumptions?.length > 0 && h("section", {}, h("h3", {}, "Assumptions"), list(answered.assumptions));
}

function took(answered) {
  return h(
    "p",
    { class: "note" },
    `Projected in ${number(answered.milliseconds, 0)} milliseconds from ${number(answered.draws, 0)} draws, seed ${answered.seed}. ` +
      "The same file and seed give the same numbers with gwm run.",
  );
}
