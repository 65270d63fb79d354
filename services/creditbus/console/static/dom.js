// Elements from values: everything that people wrote becomes text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element; properties with "on" become listeners, null ones are left out. Children: elements, texts, lists, null. */
export function h(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

/** The same in SVG. */
export function svg(name, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, name), properties, children);
}

/** A text in both languages; the style sheet shows the one that the page is in. */
export function bi(zh, en) {
  return [h("span", { lang: "zh-CN" }, zh), h("span", { lang: "en" }, en || zh)];
}

function fill(element, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}
