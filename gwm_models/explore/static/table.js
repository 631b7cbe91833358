/* Tables with headings that sort. A column says how a row's cell is written and by what it is sorted. */

import { button, fresh, h, put, say } from "./dom.js";
import { missing } from "./words.js";

const byName = new Intl.Collator("en-GB", { numeric: true });

function inOrder(rows, column, direction) {
  const key = column.sort ?? ((row) => row[column.id]);
  const rank = (left, right) => {
    const [one, other] = [key(left), key(right)];
    if (missing(one) || missing(other)) return missing(one) - missing(other);
    return direction * (typeof one === "number" ? one - other : byName.compare(one, other));
  };
  return [...rows].sort(rank);
}

function cellOf(row, column, first) {
  const given = column.cell(row);
  const [text, sub] = Array.isArray(given) ? given : [given, ""];
  const look = [column.numeric && "n", column.look].filter(Boolean).join(" ") || null;
  return h(first ? "th" : "td", { scope: first ? "row" : null, class: look }, text, sub && h("small", {}, sub));
}

/* `columns`: {id, title, numeric, cell(row) -> text, element or [text, smaller text], sort(row), first: "ascending"}.
   A column without an id is not sorted. `sorted` is {id, direction}; `onSort` is told when the reader changes it. */
export function table({ caption, columns, rows, sorted = null, onSort = null, tall = false, look = "", note = "" }) {
  const captionId = fresh("caption");
  const body = h("tbody");
  let now = sorted;
  let shown = rows;
  const headings = columns.map((column) => {
    const look =
      [column.numeric && "n", column.title.length > 16 && "long", column.look].filter(Boolean).join(" ") || null;
    const label = [column.title, column.unit && h("small", {}, column.unit)];
    const inside = column.id ? button(label, () => turn(column)) : label;
    return h("th", { scope: "col", class: look }, inside, column.scale);
  });

  function turn(column) {
    const first = column.first ?? (column.numeric ? -1 : 1);
    const direction = now?.id === column.id ? -now.direction : first;
    now = { id: column.id, direction };
    draw();
    say(`Sorted by ${column.title}, ${direction > 0 ? "ascending" : "descending"}.`);
    onSort?.(now);
  }

  function draw() {
    const column = columns.find((each) => each.id && each.id === now?.id);
    headings.forEach((heading, place) => {
      if (columns[place] === column) heading.setAttribute("aria-sort", now.direction > 0 ? "ascending" : "descending");
      else heading.removeAttribute("aria-sort");
    });
    const ordered = column ? inOrder(shown, column, now.direction) : shown;
    put(
      body,
      ordered.map((row) =>
        h(
          "tr",
          {},
          columns.map((each, place) => cellOf(row, each, place === 0)),
        ),
      ),
    );
  }

  draw();
  const grid = h(
    "table",
    { class: look || null },
    h("caption", {}, h("span", { id: captionId }, caption)),
    h("thead", {}, h("tr", {}, headings)),
    body,
  );
  const scroll = h(
    "div",
    { class: `scroll${tall ? " tall" : ""}`, role: "region", tabindex: "0", "aria-labelledby": captionId },
    grid,
  );
  const element = note ? h("div", {}, scroll, h("p", { class: "note" }, note)) : scroll;
  return {
    element,
    show(given) {
      shown = given;
      draw();
    },
    caption(text) {
      grid.querySelector("caption span").textContent = text;
    },
  };
}
