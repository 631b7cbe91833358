/* Two scenarios on the same draws: differences with their intervals, and no winner where the data cannot tell. */

import { ask, get } from "./api.js";
import { figure } from "./charts.js";
import { failure, h, list, option, put, say, waiting } from "./dom.js";
import { assumptions, cautions } from "./results.js";
import { lastForm } from "./scenario.js";
import { address, keep, pack, unpack } from "./state.js";
import { table } from "./table.js";
import { chance, interval, levelWords, missing, number, placesFor, unitWords } from "./words.js";

const FIRST = { a: "northern-participation-2026", b: "lowest-scoring-support" };
const NAMES = { a: "Scenario A", b: "Scenario B" };

/* Each side is the name of a shipped scenario, or "~" and a packed form. */
async function formOf(text, start) {
  if (text.startsWith("~")) return unpack(text.slice(1));
  const found = await get(`/api/scenario/${encodeURIComponent(text)}`);
  if (!found.form) throw new Error(found.why || "The form cannot show this scenario.");
  return { ...found.form, draws: start.draws };
}

function choices(start, own) {
  return [
    own.size > 0 &&
      h(
        "optgroup",
        { label: "From this page" },
        [...own].map(([packed, title]) => option(packed, title, "")),
      ),
    h(
      "optgroup",
      { label: "Shipped scenarios" },
      start.scenarios.filter((each) => each.kind === "scenario").map((each) => option(each.id, each.title, "")),
    ),
  ].filter(Boolean);
}

function slotWords(form, text) {
  const packed = text.startsWith("~") ? Promise.resolve(text.slice(1)) : pack(form);
  const link = h("a", { href: "#/scenario" }, "Open it in the form");
  packed.then((s) => {
    link.href = address("scenario", { s });
  });
  return h("p", { class: "question" }, form.question, " ", link);
}

function placesOf({ unit, a, b, difference }) {
  return placesFor(
    unit,
    [a, b, difference].flatMap((row) => [row.estimate, row.lower, row.upper]),
  );
}

function measureTable(answered) {
  const cell =
    (id, sign = true) =>
    (measure) => {
      const row = measure[id];
      if (missing(row?.estimate)) return "\u2013";
      const places = placesOf(measure);
      return [
        number(row.estimate, places, sign),
        row.lower === row.upper ? "" : interval(row.lower, row.upper, places),
      ];
    };
  return table({
    caption: `Change by ${answered.year} in each scenario, and A minus B on the same draws. ${levelWords(answered.level)} below each estimate.`,
    columns: [
      {
        title: "Measure",
        cell: (row) => [row.label, [unitWords(row.unit), `${row.better} is better`].filter(Boolean).join("; ")],
      },
      { title: NAMES.a, numeric: true, cell: cell("a") },
      { title: NAMES.b, numeric: true, cell: cell("b") },
      { title: "A minus B", numeric: true, cell: cell("difference") },
      {
        title: "Chance that A is better",
        numeric: true,
        cell: (row) => (row.prob_same === 1 ? "the same" : chance(row.prob_better)),
      },
      { title: "What the data can tell", look: "words", cell: (row) => row.words },
    ],
    rows: answered.measures,
    look: "measures",
  }).element;
}

function outcome(answered) {
  const labels = new Map(answered.league.map((row) => [row.measure, row.label]));
  const figures = Object.entries(answered.charts)
    .filter(([, specs]) => specs.length > 0)
    .map(([measure, specs]) => figure(labels.get(measure) ?? measure).update(specs));
  return h(
    "div",
    { class: "compared" },
    h("h2", { class: "headline" }, answered.headline),
    cautions(answered.warnings),
    h("section", {}, h("h2", {}, "Measure by measure"), measureTable(answered)),
    h("section", {}, h("h2", {}, "Beside doing nothing"), h("div", { class: "grid" }, figures)),
    answered.notes?.length > 0 && h("section", {}, h("h2", {}, "Notes"), list(answered.notes)),
    assumptions(answered),
  );
}

function faults(answered) {
  const told = (side) =>
    answered[`findings_${side}`]
      .filter((each) => each.severity === "error")
      .map((each) => h("li", {}, `${NAMES[side]}: ${each.path}: ${each.what}: ${each.fix}.`));
  return h(
    "div",
    { class: "warnings", role: "alert" },
    h("h2", {}, "Mend these first"),
    h("ul", {}, told("a"), told("b")),
  );
}

export async function compareView(state, start) {
  const now = { a: state.params.a || (await ownPacked()) || FIRST.a, b: state.params.b || FIRST.b };
  const forms = {};
  const own = new Map();
  const result = h("section", { "aria-label": "Comparison" });
  const slots = { a: slot("a"), b: slot("b") };
  let asking = null;

  async function ownPacked() {
    return lastForm() ? `~${await pack(lastForm())}` : "";
  }

  function slot(side) {
    const select = h("select", {
      id: `slot-${side}`,
      onchange: () => {
        now[side] = select.value;
        keep("compare", now);
        load(side).then(hold);
      },
    });
    const body = h("div");
    const element = h(
      "div",
      { class: `slot ${side}` },
      h("h2", {}, h("label", { for: `slot-${side}` }, NAMES[side])),
      select,
      body,
    );
    return { element, select, body };
  }

  async function load(side) {
    const { select, body } = slots[side];
    forms[side] = null;
    try {
      forms[side] = await formOf(now[side], start);
      if (now[side].startsWith("~")) own.set(now[side], forms[side].title || "A scenario without a title");
      put(body, slotWords(forms[side], now[side]));
    } catch (error) {
      put(body, failure(error));
    }
    for (const each of Object.keys(slots)) {
      put(slots[each].select, choices(start, own));
      slots[each].select.value = now[each];
    }
    return select;
  }

  async function hold() {
    asking?.abort();
    if (!forms.a || !forms.b) return put(result);
    const mine = (asking = new AbortController());
    if (result.children.length) result.setAttribute("aria-busy", "true");
    else put(result, waiting("Comparing\u2026"));
    try {
      const answered = await ask("/api/compare", { a: forms.a, b: forms.b }, mine.signal);
      if (asking !== mine) return null;
      put(result, answered.ok ? outcome(answered) : faults(answered));
      if (answered.ok) say(answered.headline);
    } catch (error) {
      if (error.name === "AbortError" || asking !== mine) return null;
      put(result, failure(error));
    }
    result.removeAttribute("aria-busy");
    return null;
  }

  await Promise.all([load("a"), load("b")]);
  keep("compare", now);
  await hold();
  const element = h(
    "div",
    { class: "view" },
    h("h1", {}, "Compare two scenarios"),
    h(
      "p",
      { class: "question" },
      "Both are projected on the same random draws, so what differs is the scenarios. Where the data cannot tell them apart, neither is called better.",
    ),
    h("div", { class: "slots" }, slots.a.element, slots.b.element),
    result,
  );
  return { title: "Compare", element, leave: () => asking?.abort() };
}
