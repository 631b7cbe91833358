/* Build a scenario and see what it would do: every change is checked and projected, and the address keeps the form. */

import { ask, download, get } from "./api.js";
import { button, failure, h, later, option, put, say } from "./dom.js";
import { showFindings } from "./findings.js";
import { emptyForm } from "./form.js";
import { drawForm } from "./formview.js";
import { resultsPanel } from "./results.js";
import { address, keep, pack, unpack } from "./state.js";

const WAIT = 150;
const FIRST = "northern-participation-2026";
let last = null;

/* The scenario that the reader worked on last, for the other views. */
export const lastForm = () => last;

async function firstForm(state, start) {
  if (state.params.s) return unpack(state.params.s);
  if (last) return structuredClone(last);
  const shipped = start.scenarios.some((each) => each.id === FIRST);
  const found = shipped ? (await get(`/api/scenario/${FIRST}`)).form : null;
  return quick(found, start) || start.form || emptyForm(start);
}

/* A shipped file asks for more draws than a first look needs. */
const quick = (form, start) => form && { ...form, draws: Math.min(form.draws ?? start.draws, start.draws) };

export async function scenarioView(state, start) {
  const areas = (await get("/api/areas")).rows;
  const desk = { form: structuredClone(await firstForm(state, start)), changed, remove };
  const told = h("div", { class: "warnings findings", hidden: true });
  const formBox = h("form", {
    class: "form",
    novalidate: true,
    "aria-label": "Scenario",
    onsubmit: (event) => event.preventDefault(),
  });
  const results = resultsPanel({
    onArea: (code) => {
      location.hash = address("area", {}, code);
    },
  });
  const status = h("p", { class: "status" });
  const yaml = h("code");
  const glance = h("div", { class: "glance", "aria-hidden": "true" });
  let asking = null;
  let gone = false;

  function redraw() {
    const [path, folds] = [focused(formBox), foldsOf(formBox)];
    put(formBox, drawForm(desk, start, areas));
    for (const each of formBox.querySelectorAll("details[data-keep]"))
      each.open = folds.get(each.dataset.keep) ?? each.open;
    refocus(formBox, path);
  }

  /* A shipped scenario that the reader changes is another one: its name and its source no longer hold. */
  function disown() {
    const form = desk.form;
    const shipped = start.scenarios.find((each) => each.id === form.id);
    if (!shipped) return;
    form.id += "-changed";
    delete form.source;
    if (form.title !== shipped.title) return;
    form.title += " (changed)";
    const fields = [...formBox.querySelectorAll(".field")];
    const title = fields.find((each) => each.place?.keys.join(".") === "title");
    if (title) title.place.target.value = form.title;
  }

  function changed({ redraw: anew = false, opened = false } = {}) {
    if (!opened) disown();
    last = desk.form;
    if (anew) redraw();
    for (const each of formBox.querySelectorAll(".told")) each.retell();
    soon();
  }

  function remove(place) {
    desk.form.actions.splice(place, 1);
    changed({ redraw: true });
    say(`Action ${place + 1} is removed.`);
    formBox.querySelector(".add select")?.focus();
  }

  /* Another scenario is a new step of the history, so that Back returns to the one before. */
  function replace(form) {
    history.pushState(null, "", location.hash);
    desk.form = structuredClone(form);
    changed({ redraw: true, opened: true });
  }

  async function project() {
    asking?.abort();
    const mine = (asking = new AbortController());
    results.element.setAttribute("aria-busy", "true");
    status.textContent = "Projecting\u2026";
    const sent = structuredClone(desk.form);
    pack(sent).then((s) => !gone && asking === mine && keep("scenario", { s }));
    try {
      const answered = await ask("/api/project", { form: sent }, mine.signal);
      if (asking !== mine || gone) return;
      showFindings(formBox, told, sent, answered.findings);
      yaml.textContent = answered.yaml ?? "";
      if (answered.ok) arrived(answered);
      else held("The form has something to mend; the result below is that of its last sound state.");
    } catch (error) {
      if (error.name === "AbortError" || asking !== mine || gone) return;
      held("");
      put(status, failure(error));
    }
  }

  function arrived(answered) {
    results.update(answered);
    results.element.removeAttribute("aria-busy");
    results.element.dataset.stale = "no";
    status.textContent = "";
    const [first] = answered.key_figures ?? [];
    put(
      glance,
      first ? [h("b", {}, `${first.text}\u00a0${first.unit}`), ` ${first.label}. ${first.span}`] : answered.headline,
    );
    say(answered.headline);
    root.dataset.turn = String(Number(root.dataset.turn ?? 0) + 1);
  }

  function held(words) {
    results.element.removeAttribute("aria-busy");
    results.element.dataset.stale = "yes";
    status.textContent = words;
    say(words);
    root.dataset.turn = String(Number(root.dataset.turn ?? 0) + 1);
  }

  const soon = later(project, WAIT);
  const tools = toolbar({ desk, start, replace, status });
  const root = h(
    "div",
    { class: "view desk" },
    h("h1", {}, "Try a scenario"),
    h(
      "p",
      { class: "question" },
      "Say what would change, where and when. The result follows each change, and the address of this page holds all of it.",
    ),
    tools,
    h(
      "div",
      { class: "sides" },
      h("div", { class: "side" }, told, formBox),
      h(
        "section",
        { class: "outcome", "aria-label": "Result" },
        status,
        results.element,
        h(
          "details",
          { class: "file" },
          h("summary", {}, "The scenario as a file (YAML)"),
          h("pre", { tabindex: "0", "aria-label": "Scenario file" }, yaml),
        ),
      ),
    ),
    glance,
  );
  try {
    redraw();
  } catch {
    throw new Error(
      "The form cannot show the scenario in this address: it is not one that this page wrote. Choose Scenario above to go on with the last one.",
    );
  }
  last = desk.form;
  project().then(() => markUnshown(tools.querySelector("#from"), () => gone));
  const leave = () => {
    gone = true;
    soon.cancel();
    asking?.abort();
  };
  return { title: "Scenario", element: root, leave };
}

/* The form cannot show every shipped scenario; those that it cannot are marked, once there is time to look. */
async function markUnshown(select, isGone) {
  for (const each of select.querySelectorAll("optgroup option")) {
    const found = await get(`/api/scenario/${encodeURIComponent(each.value)}`).catch(() => ({ form: true }));
    if (isGone()) return;
    if (!found.form) Object.assign(each, { disabled: true, textContent: `${each.textContent} (run it with gwm run)` });
  }
}

/* The focus stays where it was when the form is drawn anew: at the field of the same place. */
function focused(box) {
  const field = document.activeElement?.closest?.(".field");
  return field && box.contains(field) ? field.place?.keys.join(".") : null;
}

function foldsOf(box) {
  return new Map([...box.querySelectorAll("details[data-keep]")].map((each) => [each.dataset.keep, each.open]));
}

function refocus(box, path) {
  if (!path) return;
  const field = [...box.querySelectorAll(".field")].find((each) => each.place?.keys.join(".") === path);
  field?.place.target.focus({ preventScroll: true });
}

function toolbar({ desk, start, replace, status }) {
  const trying = (action) => async () => {
    try {
      status.textContent = "";
      await action();
    } catch (error) {
      put(status, failure(error));
      status.scrollIntoView({ block: "nearest" });
    }
  };
  const from = h(
    "select",
    {
      id: "from",
      onchange: trying(async () => {
        const wanted = from.value;
        from.value = "";
        if (wanted === "empty") return replace(emptyForm(start));
        const found = await get(`/api/scenario/${encodeURIComponent(wanted)}`);
        if (!found.form) throw new Error(found.why || "The form cannot show this scenario.");
        replace(quick(found.form, start));
      }),
    },
    option("", "Choose\u2026", ""),
    option("empty", "An empty form", ""),
    h(
      "optgroup",
      { label: "Shipped scenarios" },
      start.scenarios.filter((each) => each.kind === "scenario").map((each) => option(each.id, each.title, "")),
    ),
  );
  const file = h("input", {
    type: "file",
    accept: ".yaml,.yml",
    class: "unseen",
    tabindex: "-1",
    "aria-label": "Scenario file to open",
    onchange: trying(async () => {
      const [chosen] = file.files;
      if (!chosen) return;
      const text = await chosen.text();
      file.value = "";
      const found = await ask("/api/read", { yaml: text });
      if (!found.form) throw new Error(found.why || told(found.findings));
      replace(found.form);
      say(`${chosen.name} is open.`);
    }),
  });
  const copy = trying(async () => {
    const link = `${location.origin}/${address("scenario", { s: await pack(desk.form) })}`;
    await navigator.clipboard.writeText(link).catch(() => {
      throw new Error(
        "The browser does not let this page copy. Copy the address of this page instead: it is the link.",
      );
    });
    status.textContent = "The link is copied. It opens this scenario in any explorer of the same version.";
    say(status.textContent);
  });
  return h(
    "div",
    { class: "tools" },
    h(
      "p",
      {},
      h("label", { for: "from" }, "Start from"),
      from,
      h("span", { class: "hint" }, `Opens with ${start.draws.toLocaleString("en-GB")} draws, to be quick.`),
    ),
    h(
      "p",
      { class: "buttons" },
      button("Open a file", () => file.click()),
      file,
      button(
        "Download the file",
        trying(() => download("/api/file", { form: desk.form }, "scenario.yaml")),
      ),
      button(
        "Download the report",
        trying(() => download("/api/report", { form: desk.form }, "report.html")),
      ),
      button("Copy link", copy),
      button("Go to the result", () => document.querySelector(".outcome").scrollIntoView(), { class: "narrow-only" }),
      button(
        "Compare with\u2026",
        trying(async () => {
          location.hash = address("compare", { a: `~${await pack(desk.form)}` });
        }),
      ),
    ),
  );
}

function told(findings) {
  const [first] = findings ?? [];
  return first
    ? `The file cannot be read: line ${first.line}: ${first.what}: ${first.fix}.`
    : "The file cannot be read as a scenario.";
}
