/**
 * Element creation. Text reaches the document only as text nodes, and addresses only through `safeUrl`: there is no
 * `innerHTML` in any file of this page, so a hostile ticket title is a funny title and nothing else.
 */

export const $ = (id) => document.getElementById(id);

/** Creates an element. Strings among the children become text nodes; `null` and `false` are left out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** The only entrance for URLs in messages: http and https are kept, all others (`javascript:`, `data:`) become null. */
export function safeUrl(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}

export function link(url, properties, ...children) {
  return h("a", { ...properties, href: url, title: url, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}
