/* Shows the view that the address names, and moves the focus to its heading. */

import { areasView } from "./areas.js";
import { areaView } from "./area.js";
import { compareView } from "./compare.js";
import { mapView } from "./map.js";
import { scenarioView } from "./scenario.js";
import { get } from "./api.js";
import { failure, h, put, waiting } from "./dom.js";
import { readState } from "./state.js";

const VIEWS = { areas: areasView, map: mapView, area: areaView, scenario: scenarioView, compare: compareView };
const main = document.getElementById("main");
let visit = 0;
let leave = null;

async function show() {
  const first = visit === 0;
  const turn = (visit += 1);
  const state = readState();
  const view = VIEWS[state.view];
  leave?.();
  leave = null;
  mark(state.view);
  document.documentElement.dataset.ready = "no";
  put(main, waiting("Reading\u2026"));
  try {
    if (!view) throw new Error(`There is no view named '${state.view}'. Choose one above.`);
    const start = await get("/api/start");
    if (turn !== visit) return;
    about(start);
    const page = await view(state, start);
    if (turn !== visit) return page.leave?.();
    leave = page.leave ?? null;
    put(main, page.element);
    document.title = `${page.title} \u00b7 Good Work Monitor explorer`;
  } catch (error) {
    if (turn !== visit) return;
    document.title = "Good Work Monitor explorer";
    put(main, h("div", { class: "view" }, h("h1", {}, "This view cannot be shown"), failure(error)));
  }
  if (!first) {
    window.scrollTo(0, 0);
    focusHeading();
  }
  document.documentElement.dataset.ready = "yes";
}

function focusHeading() {
  const heading = main.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: true });
}

function mark(view) {
  const wanted = view === "area" ? "areas" : view;
  for (const link of document.querySelectorAll("header.site nav a")) {
    if (link.dataset.view === wanted) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function about(start) {
  document.getElementById("about").textContent =
    `${start.edition.title}, ${start.edition.n_areas} areas. gwm_models ${start.version}. ` +
    "Served by this computer to itself: nothing is sent anywhere.";
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
window.addEventListener("hashchange", show);
show();
