// Makes elements of the page. Text is always text: nothing that a server answers is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element of HTML. Attributes that are null or false are left out; a function is an event's listener. */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** Make an element of SVG. */
export function drawn(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/** Make a table; `columns` are its headings, `rows` hold what stands in each cell (text or elements). */
export function table(caption, columns, rows, attributes = {}) {
  return element(
    "div",
    { class: "scrolled", tabindex: "0", role: "region", "aria-label": caption },
    element(
      "table",
      attributes,
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, columns.map((column) => element("th", { scope: "col" }, column)))),
      element("tbody", {}, rows.map((row) => element("tr", {}, row.map((cell) => element("td", {}, cell))))),
    ),
  );
}

/** Make a part of the page with a heading. */
export function card(heading, ...content) {
  return element("section", { class: "card" }, element("h2", {}, heading), ...content);
}
