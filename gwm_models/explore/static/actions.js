/* One action of the form: what changes, where, when, and how much of it is a gain. */

import { button, h } from "./dom.js";
import { amount, choice, plainNumber, words } from "./fields.js";
import { changeFields, changeThing, thingOf } from "./changes.js";
import { setAt, valueAt } from "./form.js";
import { reachWords, targetFields } from "./targets.js";

const SHAPES = [
  ["linear", "Evenly"],
  ["step", "All at once"],
  ["s_curve", "Slow, fast, slow"],
];
const SHARES = [
  ["deadweight", "Would have happened anyway", "deadweight"],
  ["displacement", "Taken from others in the area", "displacement"],
  ["leakage", "Goes to people outside the area", "leakage"],
];

export function actionCard(desk, place, start, areas) {
  const action = desk.form.actions[place];
  const thing = thingOf(action, start);
  return h(
    "section",
    { class: "card", "aria-label": `Action ${place + 1}: ${thing.label}` },
    h(
      "div",
      { class: "card-head" },
      h("h3", {}, `Action ${place + 1}`),
      button("Remove", () => desk.remove(place), { class: "small", "aria-label": `Remove action ${place + 1}` }),
    ),
    whatField(desk, place, start),
    action.condition &&
      linkFields(desk, ["actions", place, "link"], "How much of its association with the scores is an effect"),
    changeFields(desk, place, start),
    part(action, "Where", reachWords, targetFields(desk, place, start, areas), true),
    part(action, "When", phaseWords, phasingFields(desk, place)),
    part(action, "How much of it is a gain", gainWords, gainFields(desk, place)),
    part(action, "Name", ({ id }) => id, [
      words(desk, ["actions", place, "id"], "Short name in the file", { hint: "Small letters, digits and hyphens." }),
    ]),
  );
}

/* A part of an action that folds; its heading tells in a few words what is set inside, also after a change. */
function part(action, title, words, fields, open = false) {
  const told = Object.assign(h("span", { class: "told" }, words(action)), {
    retell: () => {
      told.textContent = words(action);
    },
  });
  return h(
    "details",
    { class: "part-of", "data-keep": `${action.id}: ${title}`, open },
    h("summary", {}, h("b", {}, title), " ", told),
    fields,
  );
}

export const ofDomain = (start, domain) =>
  start.indicators.filter((each) => [domain.id, domain.label].includes(each.domain));

function whatField(desk, place, start) {
  const action = desk.form.actions[place];
  const byDomain = start.domains.map((domain) => ({
    label: domain.label,
    options: ofDomain(start, domain).map((each) => [`indicator:${each.id}`, each.label]),
  }));
  const conditions = {
    label: "Conditions for good work",
    options: start.conditions.map((each) => [`condition:${each.id}`, each.label]),
  };
  const kind = action.condition ? "condition" : "indicator";
  return choice(
    desk,
    ["actions", place, kind],
    "What changes",
    [...byDomain, conditions].filter((group) => group.options.length),
    {
      chosen: `${kind}:${action[kind]}`,
      write: (text) => changeThing(action, text, start),
    },
  );
}

/* When ------------------------------------------------------------------------------------------------------------- */

function phasingFields(desk, place) {
  const { start, end } = desk.form;
  const years = { min: start, max: end, step: 1 };
  const keys = ["actions", place, "phasing"];
  const action = desk.form.actions[place];
  return [
    amount(desk, [...keys, "start"], "It begins in", years),
    amount(desk, [...keys, "full_by"], "It is whole by", years),
    choice(desk, [...keys, "shape"], "In between", SHAPES),
    fadeField(desk, keys, action),
  ];
}

function fadeField(desk, keys, action) {
  const half = plainNumber(desk, [...keys, "fade", "half_life"], "Half of it is lost after", {
    unit: "years",
    min: 0,
    optional: true,
    hint: "Empty: it lasts.",
  });
  half.querySelector("input").addEventListener("input", () => {
    if (action.phasing?.fade && action.phasing.fade.half_life === undefined) delete action.phasing.fade;
  });
  return half;
}

function phaseWords(action) {
  return action.phasing ? `${action.phasing.start ?? ""} to ${action.phasing.full_by ?? ""}` : "";
}

/* Gain ------------------------------------------------------------------------------------------------------------- */

const meanOf = (share) => (typeof share === "object" && share !== null ? share.mean : share);

function gainFields(desk, place) {
  const action = desk.form.actions[place];
  const fields = SHARES.map(([id, label]) => {
    const unsure = typeof action.additionality?.[id] === "object" && action.additionality[id] !== null;
    const keys = ["actions", place, "additionality", id, ...(unsure ? ["mean"] : [])];
    const hint = unsure
      ? `Not known for certain: standard deviation ${Math.round(100 * action.additionality[id].sd)}%, kept from the file.`
      : "";
    return amount(desk, keys, label, {
      min: 0,
      max: 100,
      step: 1,
      unit: "%",
      scale: 100,
      hint,
      blank: undefined,
      also: () => mendGain(action),
    });
  });
  const spill = amount(desk, ["actions", place, "spillover", "share"], "Neighbours receive", {
    min: -50,
    max: 50,
    step: 1,
    unit: "% of the mean change next to them",
    scale: 100,
    blank: undefined,
    hint: "Below zero where neighbours lose; empty: nothing.",
    also: (share) => {
      if (share === null) delete action.spillover;
      else action.spillover.weights = "contiguity";
    },
  });
  return [...fields, spill];
}

function mendGain(action) {
  if (action.additionality && Object.keys(action.additionality).length === 0) delete action.additionality;
}

function gainWords(action) {
  const shares = SHARES.map(([id]) => meanOf(action.additionality?.[id]) || 0);
  const kept = shares.reduce((product, share) => product * (1 - share), 1);
  return `${Math.round(100 * kept)}%`;
}

/* How much of a slope is an effect: shared by conditions and health. */
export function linkFields(desk, keys, label) {
  const link = valueAt(desk.form, keys) ?? "within";
  const share = typeof link === "object";
  const pick = choice(
    desk,
    keys,
    label,
    [
      ["within", "the slope inside areas over time"],
      ["between", "the slope between areas"],
      ["share", "a share of the slope between areas"],
    ],
    {
      chosen: share ? "share" : link,
      write: (wanted) =>
        setAt(desk.form, keys, wanted === "share" ? { causal_share: { mean: 0.3, sd: 0.15 } } : wanted),
    },
  );
  if (!share) return pick;
  const mean = amount(desk, [...keys, "causal_share", "mean"], "Share taken as effect", {
    min: 0,
    max: 100,
    step: 1,
    unit: "%",
    scale: 100,
  });
  const sd = plainNumber(desk, [...keys, "causal_share", "sd"], "Its standard deviation", {
    unit: "%",
    scale: 100,
    min: 0,
  });
  return h("div", {}, pick, h("div", { class: "inner" }, mean, sd));
}
