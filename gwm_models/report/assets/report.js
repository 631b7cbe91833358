"use strict";
(() => {
  const NARROW = 520;
  const specs = JSON.parse(document.getElementById("specs").textContent);
  const tip = document.getElementById("tip");
  const spoken = document.getElementById("spoken");

  /* Charts ------------------------------------------------------------------------------------------------------- */

  function showTip(_, event, item, value) {
    if (value === null || value === undefined || value === "") {
      tip.style.visibility = "hidden";
      return;
    }
    const lines = Object.entries(value).map(([name, words], place) => {
      const line = document.createElement("div");
      const strong = document.createElement(place ? "span" : "b");
      strong.textContent = place ? `${name}: ${words}` : words;
      line.append(strong);
      return line;
    });
    tip.replaceChildren(...lines);
    const box = tip.getBoundingClientRect();
    const left = Math.min(event.clientX + 14, document.documentElement.clientWidth - box.width - 8);
    const below = event.clientY + 18;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${below + box.height > window.innerHeight ? event.clientY - box.height - 12 : below}px`;
    tip.style.visibility = "visible";
  }

  const noLoader = { load: refuse, sanitize: refuse, http: refuse, file: refuse };
  function refuse() {
    return Promise.reject(new Error("a report loads nothing"));
  }

  async function draw(box) {
    const spec = structuredClone(specs[box.dataset.chart]);
    const narrow = box.clientWidth < NARROW;
    box.dataset.narrow = narrow;
    spec.params.find((param) => param.name === "narrow").value = narrow;
    if (box.view) box.view.finalize();
    box.view = new vega.View(vega.parse(vegaLite.compile(spec).spec), {
      container: box.firstElementChild,
      renderer: "svg",
      hover: false,
      loader: noLoader,
      logLevel: vega.Warn,
      tooltip: showTip,
    });
    await box.view.runAsync();
    box.dataset.drawn = "yes";
  }

  async function drawAll(boxes) {
    for (const box of boxes) {
      try {
        await draw(box);
      } catch (error) {
        box.classList.add("failed");
        box.dataset.drawn = "no";
        box.textContent = "This chart could not be drawn. Its data are in the table below.";
        console.error(error);
      }
    }
  }

  const boxes = [...document.querySelectorAll("[data-chart]")];
  let waiting = 0;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(
      () => drawAll(boxes.filter((box) => String(box.clientWidth < NARROW) !== box.dataset.narrow)),
      150,
    );
  });
  const hideTip = () => (tip.style.visibility = "hidden");
  window.addEventListener("scroll", hideTip, { passive: true });
  window.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
  drawAll(boxes).then(() => (document.documentElement.dataset.ready = "yes"));

  /* Sorting ------------------------------------------------------------------------------------------------------ */

  function compare(left, right, direction) {
    if (left === undefined || right === undefined) return (left === undefined) - (right === undefined);
    const numbers = [Number(left), Number(right)];
    const order = numbers.some(Number.isNaN) ? left.localeCompare(right, "en-GB") : numbers[0] - numbers[1];
    return direction * order;
  }

  function sortBy(heading) {
    const table = heading.closest("table");
    const place = [...heading.parentElement.children].indexOf(heading);
    const first = heading.classList.contains("n") ? "descending" : "ascending";
    const other = first === "descending" ? "ascending" : "descending";
    const now = heading.getAttribute("aria-sort") === first ? other : first;
    for (const each of heading.parentElement.children) each.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", now);
    const body = table.tBodies[0];
    const direction = now === "ascending" ? 1 : -1;
    const rows = [...body.rows].map((row) => [row.cells[place].dataset.v, row]);
    rows.sort((left, right) => compare(left[0], right[0], direction));
    body.append(...rows.map(([, row]) => row));
    spoken.textContent = `Sorted by ${heading.textContent.trim()}, ${now}.`;
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    table.tHead.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) sortBy(button.closest("th"));
    });
  }

  /* Printing ----------------------------------------------------------------------------------------------------- */

  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("main details:not([open])")];
    for (const each of closed) each.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const each of closed) each.open = false;
  });

  /* Finding ------------------------------------------------------------------------------------------------------ */

  const find = document.getElementById("find");
  if (find) {
    find.parentElement.hidden = false;
    const rows = [...document.getElementById(find.getAttribute("aria-controls")).tBodies[0].rows];
    find.addEventListener("input", () => {
      const wanted = find.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        const words = `${row.cells[0].textContent} ${row.cells[1].textContent}`.toLowerCase();
        row.hidden = !words.includes(wanted);
        shown += !row.hidden;
      }
      spoken.textContent = `${shown} of ${rows.length} areas shown.`;
    });
  }
})();
