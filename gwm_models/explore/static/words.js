/* Numbers as readers expect them: typographic minus, thousands commas, "a to b". */

export const GAP = "\u2013";
const MINUS = "\u2212";
const SPACE = "\u00a0";
const UNITS = {
  points: "points",
  rank: "places",
  years: "years",
  percent: "%",
  pp: "percentage points",
  GBP_per_week: "\u00a3 a week",
  GBP: "\u00a3",
  share: "",
  ratio: "",
  index: "",
  times: "times the shock",
  quantile: "quantile",
};

export const missing = (value) => value === null || value === undefined || Number.isNaN(value);

export function number(value, places = 1, sign = false) {
  if (missing(value)) return GAP;
  const text = Math.abs(value).toLocaleString("en-GB", {
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  });
  if (Number(text.replaceAll(",", "")) === 0) return text;
  return (value < 0 ? MINUS : sign ? "+" : "") + text;
}

/* A number in three figures at most. */
export function short(value) {
  return (value < 0 ? MINUS : "") + Math.abs(value).toLocaleString("en-GB", { maximumSignificantDigits: 3 });
}

export function interval(lower, upper, places = 1) {
  if (missing(lower) || missing(upper)) return "";
  return `${number(lower, places)} to ${number(upper, places)}`.replaceAll(" ", SPACE);
}

export function chance(value) {
  if (missing(value)) return GAP;
  if (value < 0.005) return "under 1%";
  if (value >= 0.995) return "over 99%";
  return `${Math.round(100 * value)}%`;
}

export function unitWords(unit) {
  const bare = String(unit ?? "").split(" (")[0];
  return UNITS[bare] ?? bare.replaceAll("_", " ");
}

export function withUnit(text, unit) {
  const words = unitWords(unit);
  if (!words || text === GAP) return text;
  return words === "%" ? `${text}%` : `${text}${SPACE}${words}`;
}

export function levelWords(level) {
  return missing(level) ? "interval" : `${Number((100 * level).toPrecision(4))}% interval`;
}

export function counted(count, one, many) {
  return `${count.toLocaleString("en-GB")} ${count === 1 ? one : many}`;
}

export function listed(names, most = 12) {
  const shown = names.slice(0, most);
  return names.length > most ? `${shown.join("; ")}; and ${names.length - most} more` : shown.join("; ");
}

export const sentences = (text) => String(text).split(/(?<=(?<!\bSt)[.!?])\s+(?=[A-Z])/);

const PLACES = { points: 1, rank: 0, years: 2, percent: 1, pp: 2, people: 0 };
const FINE = 0.05;

/* Decimals of a change and its limits, by its unit: as in the reports. A unit without a rule gets three figures. */
export function placesFor(unit, values) {
  const bare = String(unit ?? "").split(" (")[0];
  const largest = Math.max(0, ...values.filter((value) => !missing(value)).map(Math.abs));
  if (bare in PLACES) return PLACES[bare] + (bare === "years" && largest > 0 && largest < FINE ? 1 : 0);
  return largest > 0 ? Math.min(Math.max(2 - Math.floor(Math.log10(largest)), 0), 6) : 2;
}
