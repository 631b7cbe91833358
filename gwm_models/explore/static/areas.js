/* All areas in one table: sorted, searched and filtered; the state of it is in the address. */

import { get } from "./api.js";
import { h, option, say, svg } from "./dom.js";
import { address, keep } from "./state.js";
import { table } from "./table.js";
import { chance, interval, levelWords, missing, number } from "./words.js";

const ESTIMATES = {
  total: "Score",
  access: "Access",
  status: "Status",
  pay: "Pay",
  healthy_life_expectancy_male: "Healthy life, male",
  healthy_life_expectancy_female: "Healthy life, female",
};

export function spanOf(row, field) {
  const [lower, upper] = field.limits ?? [];
  return lower ? interval(row[lower], row[upper], field.places) : "";
}

export function shown(row, field) {
  return field.unit === "probability" ? chance(row[field.id]) : number(row[field.id], field.places);
}

/* A figure with its limits below; their level is named where it is not that of the scores. */
function estimate(field, title) {
  const unit = field.level ? `${field.unit}, ${levelWords(field.level).replace("interval", "limits")}` : field.unit;
  return { id: field.id, title, unit, numeric: true, cell: (row) => [shown(row, field), spanOf(row, field)] };
}

const WIDTH = 150;
const HEIGHT = 16;

function place(rank, count) {
  return 4 + ((rank - 1) / Math.max(count - 1, 1)) * (WIDTH - 8);
}

/* The interval of a rank as a bar, with a dot at its median; the same numbers stand in words beside it. */
function rankBar(row, count) {
  const [left, right] = [place(row.rank_lower, count), place(row.rank_upper, count)];
  return svg(
    "svg",
    { class: "rank-bar", width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
    svg("line", { class: "base", x1: 4, x2: WIDTH - 4, y1: HEIGHT / 2, y2: HEIGHT / 2 }),
    svg("rect", { x: left - 1, y: HEIGHT / 2 - 3, width: Math.max(right - left, 0) + 2, height: 6, rx: 1 }),
    svg("circle", { cx: place(row.rank_median, count), cy: HEIGHT / 2, r: 4 }),
  );
}

function rankColumn(count, level) {
  const scale = svg(
    "svg",
    { class: "rank-scale", width: WIDTH, height: 12, viewBox: `0 0 ${WIDTH} 12`, "aria-hidden": "true" },
    [1, Math.round((1 + count) / 2), count].map((rank, at) =>
      svg("text", { x: place(rank, count), y: 10, "text-anchor": ["start", "middle", "end"][at] }, String(rank)),
    ),
  );
  return {
    id: "rank_median",
    title: "Where it may stand",
    unit: `median rank, ${levelWords(level)}`,
    look: "bar",
    first: 1,
    scale,
    cell: (row) =>
      h(
        "span",
        { class: "bar-cell" },
        rankBar(row, count),
        h("span", {}, `${number(row.rank_median, 0)} (${interval(row.rank_lower, row.rank_upper, 0)})`),
      ),
  };
}

function columnsOf(data) {
  const fields = Object.fromEntries(data.fields.map((field) => [field.id, field]));
  const [total, ...others] = Object.entries(ESTIMATES).map(([id, title]) => fields[id] && estimate(fields[id], title));
  const share = (id, title, unit) => ({ id, title, unit, numeric: true, cell: (row) => chance(row[id]) });
  const link = (row) => h("a", { href: address("area", {}, row.area_code) }, row.area_name);
  return [
    { id: "area_name", title: "Area", cell: (row) => [link(row), row.region_name] },
    { id: "rank", title: "Rank", numeric: true, first: 1, cell: (row) => number(row.rank, 0) },
    rankColumn(data.rows.length, data.level),
    total,
    share("prob_bottom_fifth", "Lowest fifth", "chance"),
    share("prob_top_fifth", "Top fifth", "chance"),
    ...others,
    { id: "population", title: "Residents", numeric: true, cell: (row) => number(row.population, 0) },
  ].filter(Boolean);
}

function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

function wanted(rows, find, region) {
  const words = plain(find).split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    const text = plain(`${row.area_name} ${row.area_code} ${row.region_name}`);
    return (!region || row.region_name === region) && words.every((word) => text.includes(word));
  });
}

export async function areasView(state, start) {
  const data = await get("/api/areas");
  const columns = columnsOf(data);
  const given = state.params;
  const known = columns.some((column) => column.id === given.sort);
  const now = {
    sort: known ? given.sort : "rank",
    dir: given.dir === "desc" ? "desc" : "asc",
    find: given.find ?? "",
    region: start.regions.includes(given.region) ? given.region : "",
  };
  const grid = table({
    caption: "",
    columns,
    rows: [],
    tall: true,
    look: "areas",
    sorted: { id: now.sort, direction: now.dir === "desc" ? -1 : 1 },
    onSort: ({ id, direction }) => {
      Object.assign(now, { sort: id, dir: direction > 0 ? "asc" : "desc" });
      keep("areas", now);
    },
  });
  const none = h(
    "p",
    { class: "none", hidden: true },
    "No area has these words in its name, code or region. Take some away, or choose all regions.",
  );

  function show(spoken) {
    const rows = wanted(data.rows, now.find, now.region);
    grid.show(rows);
    grid.caption(
      `${rows.length} of ${data.rows.length} areas. Rank 1 is the highest score. ` +
        `Below a score: the ${levelWords(data.level)} of the true one.`,
    );
    none.hidden = rows.length > 0;
    if (spoken) {
      say(`${rows.length} of ${data.rows.length} areas shown.`);
      keep("areas", now);
    }
  }

  const find = h("input", {
    type: "search",
    id: "find",
    value: now.find,
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => {
      now.find = find.value;
      show(true);
    },
  });
  const region = h(
    "select",
    {
      id: "region",
      onchange: () => {
        now.region = region.value;
        show(true);
      },
    },
    option("", "All regions", now.region),
    start.regions.map((name) => option(name, name, now.region)),
  );
  show(false);
  const element = h(
    "div",
    { class: "view" },
    h("h1", {}, "Areas and where they may stand"),
    h(
      "p",
      { class: "question" },
      `${start.edition.title}. A rank is an estimate: the bars show how far each area's may reach. Choose a name for its page.`,
    ),
    h(
      "div",
      { class: "tools" },
      h("p", {}, h("label", { for: "find" }, "Find"), find),
      h("p", {}, h("label", { for: "region" }, "Region"), region),
    ),
    none,
    grid.element,
    notes(data),
  );
  return { title: "Areas", element };
}

export function notes(data) {
  return data.notes?.length
    ? h(
        "section",
        { class: "notes" },
        h("h2", {}, "Notes"),
        h(
          "ul",
          {},
          data.notes.map((note) => h("li", {}, note)),
        ),
      )
    : null;
}

/* The best first, where one end is better; else the largest first. */
export function orderedBy(rows, { id, direction }) {
  const sign = direction < 0 ? -1 : 1;
  return [...rows].sort((one, other) => missing(one[id]) - missing(other[id]) || sign * (other[id] - one[id]));
}
