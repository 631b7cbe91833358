/* One figure of every area on the tile map, with the same areas as a list to choose from. */

import { get } from "./api.js";
import { notes, orderedBy, shown, spanOf } from "./areas.js";
import { figure } from "./charts.js";
import { failure, h, option, put, say } from "./dom.js";
import { address, keep } from "./state.js";
import { counted, withUnit } from "./words.js";

function entry(row, field) {
  const span = spanOf(row, field);
  return h(
    "li",
    {},
    h("a", { href: address("area", {}, row.area_code) }, row.area_name),
    h(
      "span",
      { class: "amount" },
      withUnit(shown(row, field), UNITS[field.unit] ?? field.unit),
      span && h("small", {}, span),
    ),
  );
}

const UNITS = { probability: "", rank: "", people: "" };

export async function mapView(state) {
  const data = await get("/api/areas");
  const fields = data.fields;
  let field =
    fields.find((each) => each.id === state.params.show) ?? fields.find((each) => each.id === "total") ?? fields[0];
  const drawing = figure("", {
    level: "h2",
    onArea: (code) => {
      location.hash = address("area", {}, code);
    },
  });
  const names = h("ol", { class: "ordered" });
  const heading = h("h2", {}, "");
  const more = h("div");
  let turn = 0;

  async function show(spoken) {
    const mine = (turn += 1);
    const rows = orderedBy(data.rows, field);
    heading.textContent = `All areas: ${field.label}`;
    put(
      names,
      rows.map((row) => entry(row, field)),
    );
    try {
      const map = await get(`/api/map?show=${encodeURIComponent(field.id)}`);
      if (mine !== turn) return;
      drawing.update([map.spec].flat().filter(Boolean), sourceWords(field));
      put(more, notes(map));
    } catch (error) {
      put(more, failure(error));
    }
    if (spoken) say(`The map shows ${field.label}, ${counted(rows.length, "area", "areas")}.`);
  }

  const choice = h(
    "select",
    {
      id: "show",
      onchange: () => {
        field = fields.find((each) => each.id === choice.value);
        keep("map", { show: field.id });
        show(true);
      },
    },
    fields.map((each) => option(each.id, each.label, field.id)),
  );
  await show(false);
  const element = h(
    "div",
    { class: "view" },
    h("h1", {}, "Map of the areas"),
    h(
      "p",
      { class: "question" },
      "Each area is one tile of the same size, near its place in England. Choose a tile, or a name in the list, for the page of an area.",
    ),
    h("div", { class: "tools" }, h("p", {}, h("label", { for: "show" }, "Show"), choice)),
    h(
      "div",
      { class: "beside" },
      drawing.element,
      h(
        "div",
        {},
        heading,
        h("div", { class: "scroll tall", role: "region", tabindex: "0", "aria-label": "Areas in order" }, names),
      ),
    ),
    more,
  );
  return { title: "Map", element };
}

function sourceWords(field) {
  return [[field.period, field.source].filter(Boolean).join(". ")];
}
