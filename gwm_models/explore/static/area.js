/* The page of one area: where it stands, its indicators beside others, its past, its health, and what would move it. */

import { get } from "./api.js";
import { figure } from "./charts.js";
import { button, h } from "./dom.js";
import { emptyForm, freeId, phasingOf } from "./form.js";
import { keyFigures } from "./results.js";
import { address, pack } from "./state.js";
import { table } from "./table.js";
import { chance, interval, levelWords, missing, number, sentences, withUnit } from "./words.js";

const GAP = "\u2013";
const PLACES = { percent: 1, pp: 2, GBP_per_week: 0, years: 1, points: 1 };
const placesOf = (row) => row.places ?? PLACES[row.unit] ?? 1;

function keys(area, level, count) {
  const span = (id, places, words) => {
    const limits = interval(area[`${id}_lower`], area[`${id}_upper`], places);
    return limits && `${words} ${limits}`;
  };
  const life = (sex) => {
    const id = `healthy_life_expectancy_${sex}`;
    const text = number(area[id], 1);
    return { label: `Healthy life expectancy, ${sex}`, text, unit: "years", span: span(id, 1, "95% limits") };
  };
  const [lowest, highest] = [area.prob_bottom_fifth, area.prob_top_fifth].map(chance);
  const words = levelWords(level);
  return keyFigures([
    { label: "Rank", text: number(area.rank, 0), unit: `of ${count}`, span: span("rank", 0, `true rank, ${words}`) },
    { label: "Score", text: number(area.total, 1), unit: "points", span: span("total", 1, `true score, ${words}`) },
    { label: "Chance of the lowest fifth", text: lowest, span: `of the highest fifth: ${highest}` },
    ...["male", "female"].map(life).filter((each) => each.text !== GAP),
    { label: "Residents", text: number(area.population, 0) },
  ]);
}

function indicatorTable(rows) {
  const figureOf = (id) => (row) => (missing(row[id]) ? GAP : withUnit(number(row[id], placesOf(row)), row.unit));
  return table({
    caption: "Indicators with their 95% limits, beside the medians of the region and of all areas.",
    columns: [
      { title: "Indicator", cell: (row) => [row.label, row.period] },
      {
        title: "Here",
        numeric: true,
        cell: (row) => [figureOf("value")(row), interval(row.lower, row.upper, placesOf(row))],
      },
      { title: "Region", numeric: true, cell: figureOf("region_median") },
      { title: "All areas", numeric: true, cell: figureOf("whole_median") },
      { title: "More is", cell: (row) => (row.direction > 0 ? "better" : row.direction < 0 ? "worse" : GAP) },
      { title: "Source", cell: (row) => [row.source, row.missing || row.limits] },
    ],
    rows,
  }).element;
}

function peerTable(rows) {
  return table({
    caption:
      "The nearest areas by the published indicators, nearest first. The distance beside each allows for survey noise, with its 90% interval, and so can be in another order; then the chance to be among the ten nearest.",
    columns: [
      {
        id: "area_name",
        title: "Area",
        cell: (row) => [h("a", { href: address("area", {}, row.area_code) }, row.area_name), row.region_name],
      },
      {
        id: "estimate",
        title: "Distance",
        numeric: true,
        first: 1,
        cell: (row) => [number(row.estimate, 2), interval(row.lower, row.upper, 2)],
      },
      {
        id: "prob_nearest_10",
        title: "Chance of the ten nearest",
        numeric: true,
        cell: (row) => chance(row.prob_nearest_10),
      },
      { id: "total", title: "Score", unit: "points", numeric: true, cell: (row) => number(row.total, 1) },
    ],
    rows,
  }).element;
}

function leverTable(rows, area, start) {
  const attempt = (row) =>
    row.scenario &&
    row.move !== 0 &&
    button("Try it", () => tryIt(row, area, start), {
      class: "small",
      "aria-label": `Try this in a scenario: ${row.label}`,
    });
  return table({
    caption: "What closing half of the gap to the best fifth would add, one indicator at a time, with 90% intervals.",
    columns: [
      { title: "Indicator", cell: (row) => row.label },
      { title: "Move", look: "words", cell: (row) => [row.move_words || GAP, row.status_words] },
      {
        id: "points",
        title: "Score",
        unit: "points",
        numeric: true,
        cell: (row) => (missing(row.points) ? GAP : [number(row.points, 1, true), interval(row.lower, row.upper)]),
      },
      {
        id: "ranks",
        title: "Ranks",
        unit: "places gained",
        numeric: true,
        cell: (row) =>
          missing(row.ranks) ? GAP : [number(row.ranks, 0, true), interval(row.ranks_lower, row.ranks_upper, 0)],
      },
      { title: "Scenario", cell: (row) => attempt(row) || GAP },
    ],
    rows,
  }).element;
}

/* A form with one move in this area alone, phased in as a new action is. */
async function tryIt(row, area, start) {
  const form = emptyForm(start);
  const [action] = row.scenario.actions;
  form.title = `${row.label} in ${area.area_name}`;
  form.question = row.scenario.question;
  form.actions = [{ ...action, target: { areas: [area.area_name] }, phasing: phasingOf(form) }];
  location.hash = address("scenario", { s: await pack(form) });
}

async function tryHere(area, start) {
  const form = structuredClone(start.form);
  form.id = freeId({}, `${area.area_name}-scenario`);
  form.title = `A change in ${area.area_name}`;
  for (const action of form.actions) action.target = { areas: [area.area_name] };
  location.hash = address("scenario", { s: await pack(form) });
}

function healthTable(rows) {
  const figureOf = (id) => (row) => (missing(row[id]) ? GAP : number(row[id], placesOf(row)));
  return table({
    caption:
      "Health outcomes with their 95% limits, beside the medians of the region and of all areas. None of these is an effect.",
    columns: [
      { title: "Outcome", cell: (row) => [row.label, row.period] },
      {
        title: "Here",
        numeric: true,
        cell: (row) => [figureOf("value")(row), interval(row.lower, row.upper, placesOf(row))],
      },
      { title: "Region", numeric: true, cell: figureOf("region") },
      { title: "All areas", numeric: true, cell: figureOf("whole") },
      { title: "Unit", cell: (row) => row.unit.replaceAll("_", " ") },
    ],
    rows,
    tall: true,
  }).element;
}

const list = (title, items) =>
  items?.length > 0 &&
  h(
    "section",
    {},
    h("h2", {}, title),
    h(
      "ul",
      {},
      items.map((item) => h("li", {}, item)),
    ),
  );
/* The first sentence about an area in large letters, the rest below. */
function leading(text) {
  const [first, ...rest] = sentences(text);
  return [h("p", { class: "lead" }, first), rest.length > 0 && h("p", { class: "more" }, rest.join(" "))];
}

const drawn = (title, specs, words, options) => figure(title, options).update(specs, words);

export async function areaView(state, start) {
  const page = await get(`/api/area/${encodeURIComponent(state.id)}`);
  const { area, charts, tables } = page;
  const names = tables.history?.length > 0 || charts.history?.length > 0;
  const element = h(
    "div",
    { class: "view area" },
    h("p", { class: "over" }, h("a", { href: "#/areas" }, "Areas"), ` / ${area.region_name} / ${area.area_code}`),
    h("h1", {}, area.area_name),
    leading(page.words),
    keys(area, page.level, start.edition.n_areas),
    h(
      "p",
      { class: "buttons" },
      button("Try a scenario here", () => tryHere(area, start), { class: "first" }),
    ),
    h(
      "div",
      { class: "duo" },
      h(
        "section",
        {},
        h("h2", {}, "Profile"),
        drawn(
          "Indicators beside all areas",
          charts.profile,
          "Each indicator in standard deviations from the mean of all areas, turned so that right is better.",
        ),
        h("details", {}, h("summary", {}, "The figures behind the profile"), indicatorTable(tables.indicators)),
      ),
      h(
        "section",
        {},
        h("h2", {}, "Where it may stand"),
        drawn(
          "Chance of each rank",
          charts.ranks,
          "The rank is an estimate: the figures behind the score come from samples.",
        ),
        h("h3", {}, "Areas like it"),
        peerTable(tables.peers),
      ),
    ),
    h(
      "section",
      {},
      h("h2", {}, "What would move it most"),
      h(
        "div",
        { class: "duo" },
        drawn(
          "Half of the gap to the best fifth",
          charts.levers,
          "The same rule for every indicator, not an equal effort. Points of the total with their 90% intervals.",
        ),
        leverTable(tables.levers, area, start),
      ),
    ),
    names &&
      h(
        "section",
        {},
        h("h2", {}, "History"),
        drawn("Year by year", charts.history, "With 95% limits, beside the medians of the region and of all areas.", {
          wide: true,
        }),
      ),
    h(
      "section",
      {},
      h("h2", {}, "Health"),
      drawn(
        "Healthy life expectancy",
        charts.health,
        "With 95% limits, beside the medians of the region and of all areas.",
        { wide: true },
      ),
      tables.health?.length > 0 &&
        h("details", {}, h("summary", {}, "All health outcomes"), healthTable(tables.health)),
    ),
    list("Notes", page.notes),
    list("Sources", page.sources),
  );
  return { title: area.area_name, element };
}
