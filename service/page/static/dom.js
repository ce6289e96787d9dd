// Elements. Text only ever becomes text nodes: what an article holds is never read as HTML.

export const $ = (id) => document.getElementById(id);

/** An element. `on…` properties are listeners, `true` is an empty attribute, null and false are none; children are nodes, strings, or nothing. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A bar as long as a share of 1; what it shows stands beside it in figures. */
export function bar(share, kind = "") {
  const inner = document.createElement("i");
  // Through the object model: a style attribute would be against the page's policy.
  inner.style.width = `${(100 * Math.min(Math.max(share, 0), 1)).toFixed(1)}%`;
  return h("span", { class: `bar ${kind}`, "aria-hidden": "true" }, inner);
}

/** Shows an element if there is something to show. */
export function show(element, shown = true) {
  element.hidden = !shown;
}

/** Says what is wrong at the field of an id; an empty text takes it back. False where there is no such field. */
export function fault(id, text) {
  const field = $(id);
  const place = $(`${id}-error`);
  if (!place) return false;
  place.textContent = text;
  show(place, Boolean(text));
  if (text) field?.setAttribute("aria-invalid", "true");
  else field?.removeAttribute("aria-invalid");
  return true;
}

/** Puts a notice, or nothing, where notices of a view stand; details are a list below it. */
export function notice(place, text, { bad = false, details = [], action = null } = {}) {
  place.replaceChildren();
  if (text) place.append(text);
  if (details.length) place.append(h("ul", {}, details.map((line) => h("li", {}, line))));
  if (action) place.append(" ", action);
  place.classList.toggle("bad", bad);
  show(place, Boolean(text));
}

let said = "";
let saying = 0;

/** Tells a screen reader, once nothing newer has come for a while: typing must not be talked over. */
export function speak(text, after = 1200) {
  clearTimeout(saying);
  saying = setTimeout(() => {
    if (text !== said) $("spoken").textContent = said = text;
  }, after);
}

/** Offers a file to be saved. */
export function save(name, blob) {
  const address = URL.createObjectURL(blob);
  const link = h("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

const memory = {
  get(name) {
    try {
      return JSON.parse(sessionStorage.getItem(`newsdesk.${name}`));
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      sessionStorage.setItem(`newsdesk.${name}`, JSON.stringify(value));
    } catch {
      // full, or not allowed: a reload then starts anew
    }
  },
};

/** What survives a reload of this tab, and nothing else does. */
export { memory };
