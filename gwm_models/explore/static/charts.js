/* Figures: Vega-Lite specs from the server, each drawn when it comes into sight, with its key and its table of data. */

import { fresh, h, put } from "./dom.js";
import { GAP, number } from "./words.js";
import { table } from "./table.js";

const NARROW = 520;
const FAILED = "This chart could not be drawn. Its data are in the table below.";
const boxes = new Map();
let library = null;

function script(source) {
  return new Promise((resolve, reject) => {
    const failed = () => reject(new Error(`${source} did not come.`));
    document.head.append(h("script", { src: source, onload: resolve, onerror: failed }));
  });
}

function loaded() {
  library ??= script("/static/vega.min.js").then(() => script("/static/vega-lite.min.js"));
  return library;
}

/* Tooltips --------------------------------------------------------------------------------------------------------- */

function hideTip() {
  document.getElementById("tip").style.visibility = "hidden";
}

function showTip(_, event, item, value) {
  if (value === null || value === undefined || value === "") return hideTip();
  const entries = typeof value === "object" ? Object.entries(value) : [["", value]];
  const tip = document.getElementById("tip");
  put(
    tip,
    entries.map(([name, words], place) =>
      h("div", {}, h(place ? "span" : "b", {}, place ? `${name}: ${words}` : String(words))),
    ),
  );
  const size = tip.getBoundingClientRect();
  const left = Math.min(event.clientX + 14, document.documentElement.clientWidth - size.width - 8);
  const below = event.clientY + 18;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${below + size.height > window.innerHeight ? event.clientY - size.height - 12 : below}px`;
  tip.style.visibility = "visible";
}

window.addEventListener("scroll", hideTip, { passive: true });
window.addEventListener("hashchange", hideTip);

/* Drawing ---------------------------------------------------------------------------------------------------------- */

const refuse = () => Promise.reject(new Error("a chart loads nothing"));
const noLoader = { load: refuse, sanitize: refuse, http: refuse, file: refuse };

function viewOf(spec, container, onArea) {
  const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), {
    container,
    renderer: "svg",
    hover: false,
    loader: noLoader,
    logLevel: vega.Warn,
    tooltip: showTip,
  });
  if (onArea) view.addEventListener("click", (_, item) => item?.datum?.code && onArea(item.datum.code));
  return view;
}

/* The new drawing takes the place of the old one only when it is whole, so that nothing jumps or flickers. */
async function draw(box) {
  const state = boxes.get(box);
  if (!state || !box.isConnected || !box.clientWidth) return;
  const turn = (state.turn += 1);
  const width = box.clientWidth;
  const spec = structuredClone(state.spec);
  const narrow = spec.params?.find((each) => each.name === "narrow");
  if (narrow) narrow.value = width < NARROW;
  const next = h("div", { class: "next", "aria-hidden": "true" });
  let view = null;
  state.due = false;
  try {
    await loaded();
    box.append(next);
    view = viewOf(spec, next, state.onArea);
    await view.runAsync();
  } catch (error) {
    box.classList.add("failed");
    box.dataset.drawn = "no";
    box.textContent = FAILED;
    console.error(error);
    return;
  }
  if (turn !== state.turn) {
    view.finalize();
    next.remove();
    return;
  }
  state.view?.finalize();
  Object.assign(state, { view, width });
  next.classList.remove("next");
  put(box, next);
  box.classList.remove("failed");
  box.dataset.drawn = "yes";
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const state = boxes.get(target);
      if (!state) continue;
      state.inSight = isIntersecting;
      if (isIntersecting && state.due) draw(target);
    }
  },
  { rootMargin: "400px 0px" },
);

const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const state = boxes.get(target);
    if (!state?.view || !target.clientWidth || target.clientWidth === state.width) continue;
    if (target.clientWidth < NARROW !== state.width < NARROW) draw(target);
    else state.view.resize().runAsync();
    state.width = target.clientWidth;
  }
});

window.addEventListener("beforeprint", () => {
  for (const [box, state] of boxes) if (state.due) draw(box);
});

function forget() {
  for (const [box, state] of boxes) {
    if (box.isConnected || !state.placed) continue;
    seen.unobserve(box);
    resized.unobserve(box);
    state.view?.finalize();
    boxes.delete(box);
  }
}

function show(box, spec, onArea) {
  const state = boxes.get(box) ?? { turn: 0, view: null, inSight: false, placed: false };
  boxes.set(box, Object.assign(state, { spec, onArea, due: true }));
  box.setAttribute("aria-label", spec.description);
  requestAnimationFrame(() => {
    forget();
    state.placed = true;
    seen.observe(box);
    resized.observe(box);
    if (state.inSight) draw(box);
  });
}

/* Figures ---------------------------------------------------------------------------------------------------------- */

function legendOf(specs) {
  const entries = new Map(specs.flatMap((spec) => spec.usermeta?.legend ?? []).map((entry) => [entry.label, entry]));
  return [...entries.values()].map((entry) =>
    h(
      "li",
      {},
      h("span", { class: `mark ${entry.shape}`, variables: { "--mark": `var(--gwm-${entry.colour})` } }),
      entry.label,
    ),
  );
}

function written(row, column) {
  const value = row[column.field];
  if (column.places === null || column.places === undefined)
    return value === null || value === undefined || value === "" ? GAP : String(value);
  return column.field === "year" ? String(value) : number(value, column.places, column.sign);
}

function dataTable(spec) {
  const columns = spec.usermeta.table.map((column) => ({
    title: column.title,
    numeric: column.places !== null && column.places !== undefined,
    cell: (row) => written(row, column),
  }));
  return table({ caption: spec.description, columns, rows: spec.data.values }).element;
}

/* Makes a figure; its `update` draws other specs in the same place. One without a title takes that of its only chart. */
export function figure(title, { wide = false, onArea = null, level = "h3" } = {}) {
  const legend = h("ul", { class: "legend", "aria-label": "Key" });
  const charts = h("div", { class: "charts" });
  const data = h("details", { class: "data" });
  const reading = h("div", { class: "reading" });
  const heading = h(level, {}, title);
  const element = h(
    "figure",
    { class: `figure${wide ? " wide" : ""}` },
    h("figcaption", {}, heading, reading),
    h("div", { class: "drawing" }, legend, charts, data),
  );
  let specs = [];
  const fillData = () => {
    const summary = h(
      "summary",
      {},
      "The data of this chart as a table",
      h("span", { class: "unseen" }, `: ${heading.textContent}`),
    );
    put(data, summary, data.open && specs.map(dataTable));
  };
  data.addEventListener("toggle", fillData);
  const update = (given, words = "") => {
    specs = given ?? [];
    if (!title) heading.textContent = specs[0]?.usermeta?.title ?? "";
    element.hidden = specs.length === 0;
    put(legend, legendOf(specs));
    legend.hidden = !legend.children.length;
    put(
      reading,
      [words]
        .flat()
        .filter(Boolean)
        .map((text) => h("p", {}, text)),
    );
    while (charts.children.length > specs.length) charts.lastElementChild.remove();
    while (charts.children.length < specs.length) {
      charts.append(
        h("div", { class: "part" }, h("h4", {}), h("div", { class: "chart", role: "img", id: fresh("chart") })),
      );
    }
    specs.forEach((spec, place) => {
      const [part, box] = charts.children[place].children;
      part.textContent = title ? (spec.usermeta?.title ?? "") : "";
      part.hidden = !part.textContent;
      box.classList.toggle("linked", Boolean(onArea));
      show(box, spec, onArea);
    });
    fillData();
    return element;
  };
  return { element, update };
}
