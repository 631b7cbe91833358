/* Elements made from plain values: every text goes in by textContent, so data can never become markup. */

const SVG = "http://www.w3.org/2000/svg";
let lastId = 0;

export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "hidden") element[name] = value;
    else if (name === "variables")
      for (const [key, given] of Object.entries(value)) element.style.setProperty(key, given);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...kept(children));
  return element;
}

function kept(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false && child !== "");
}

export function fresh(stem) {
  lastId += 1;
  return `${stem}-${lastId}`;
}

export function put(parent, ...children) {
  parent.replaceChildren(...kept(children));
  return parent;
}

export function say(text) {
  document.getElementById("spoken").textContent = text;
}

export function button(label, action, attributes = {}) {
  return h("button", { type: "button", onclick: action, ...attributes }, label);
}

export function list(items) {
  return h(
    "ul",
    {},
    items.map((item) => h("li", {}, typeof item === "string" ? marked(item) : item)),
  );
}

/* A text whose parts between backticks, such as a command, are set as code. */
function marked(text) {
  return text.split(/`([^`]+)`/).map((part, place) => (place % 2 ? h("code", {}, part) : part));
}

export function option(value, label, chosen) {
  const made = h("option", { value }, label);
  made.selected = value === chosen;
  return made;
}

export function later(action, wait) {
  let timer = 0;
  const call = (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...given), wait);
  };
  call.cancel = () => clearTimeout(timer);
  return call;
}

export function waiting(words) {
  return h("p", { class: "waiting" }, words);
}

/* An error in words; one that is a fault of the page itself is also left in the console. */
export function failure(error) {
  if (error.name !== "Error") console.error(error);
  return h("div", { class: "warnings", role: "alert" }, h("h3", {}, "This did not work"), h("p", {}, error.message));
}
