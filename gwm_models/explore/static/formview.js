/* The whole form of a scenario: its actions, health, years and the rest. */

import { actionCard, linkFields, ofDomain } from "./actions.js";
import { button, h, option } from "./dom.js";
import { amount, choice, plainNumber, tickField, words } from "./fields.js";
import { newAction, newHealth, slugOf } from "./form.js";

const YEARS = { min: 2019, max: 2060, step: 1 };

export function drawForm(desk, start, areas) {
  desk.form.actions ??= [];
  desk.form.health ??= [];
  return [
    titleField(desk),
    h("h2", {}, "Actions"),
    desk.form.actions.length === 0 && h("p", { class: "none" }, "No action yet: nothing changes."),
    desk.form.actions.map((_, place) => actionCard(desk, place, start, areas)),
    addAction(desk, start),
    h("h2", {}, "Years"),
    amount(desk, ["start"], "First year", YEARS),
    amount(desk, ["end"], "Year of the result", YEARS),
    h("h2", {}, "Health"),
    h("p", { class: "hint" }, "Which outcomes follow the score, and how."),
    start.outcomes.map((outcome) => healthFields(desk, outcome)),
    otherSettings(desk, start),
  ];
}

function titleField(desk) {
  const made = words(desk, ["title"], "Title");
  made.querySelector("input").addEventListener("change", () => {
    if (["", "my-scenario"].includes(desk.form.id)) {
      desk.form.id = slugOf(desk.form.title) || "my-scenario";
      desk.changed({ redraw: true });
    }
  });
  return made;
}

function addAction(desk, start) {
  const chosen = h(
    "select",
    { "aria-label": "What a new action changes" },
    start.domains.map((domain) =>
      h(
        "optgroup",
        { label: domain.label },
        ofDomain(start, domain).map((each) => option(each.id, each.label, "")),
      ),
    ),
  );
  return h(
    "p",
    { class: "add" },
    chosen,
    button("Add an action", () => {
      const indicator = start.indicators.find((each) => each.id === chosen.value);
      desk.form.actions.push(newAction(desk.form, indicator));
      desk.changed({ redraw: true });
    }),
  );
}

function healthFields(desk, outcome) {
  const place = desk.form.health.findIndex((each) => each.outcome === outcome.id);
  const here = place >= 0;
  const keys = ["health", here ? place : "none"];
  const write = (on) => {
    if (on) desk.form.health.push(newHealth(outcome.id));
    else desk.form.health.splice(place, 1);
    desk.changed({ redraw: true });
  };
  return tickField(
    keys,
    outcome.label,
    here,
    write,
    here &&
      h(
        "div",
        { class: "inner" },
        linkFields(desk, [...keys, "link"], "It follows the score by"),
        amount(desk, [...keys, "lag", "years"], "It starts after", { min: 0, max: 15, step: 1, unit: "years" }),
        amount(desk, [...keys, "lag", "build_up"], "And takes, to be whole", {
          min: 0,
          max: 20,
          step: 1,
          unit: "years",
        }),
      ),
  );
}

function otherSettings(desk, start) {
  return h(
    "details",
    { class: "part-of", "data-keep": "settings" },
    h("summary", {}, h("b", {}, "Question, name and draws")),
    words(desk, ["question"], "Question", { long: true }),
    words(desk, ["id"], "Short name", {
      hint: "The file and its results are named after it: small letters, digits and hyphens.",
    }),
    choice(desk, ["counterfactual"], "Without the actions", [
      ["held", "everything stays as it is"],
      ["trend", "indicators go on along their trend"],
    ]),
    plainNumber(desk, ["draws"], "Draws", {
      hint: `${start.draws_range.map((each) => each.toLocaleString("en-GB")).join(" to ")}; more draws are steadier and slower.`,
      min: 100,
      step: 1,
    }),
    plainNumber(desk, ["seed"], "Seed", { min: 0, step: 1 }),
  );
}
