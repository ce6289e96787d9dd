// A text field whose words can be marked: behind a text area that shows no background lies the same text with marks.
import { h } from "./dom.js";

export class MarkedField {
  #area;
  #mirror;
  #marks = [];
  #text = "";

  constructor(area) {
    this.#area = area;
    this.#mirror = area.parentElement.querySelector(".mirror");
    area.addEventListener("input", () => this.#follow());
    this.#follow();
  }

  get area() {
    return this.#area;
  }

  get value() {
    return this.#area.value;
  }

  set value(text) {
    this.#area.value = text;
    this.#marks = [];
    this.#follow();
  }

  /** Marks stretches [{start, end, kind, weak}], in order, of the text that stands there now. */
  mark(marks) {
    this.#marks = marks;
    this.#paint();
  }

  /** Marks stay with their words while the text changes around them; those that it changes are gone. */
  #follow() {
    const old = this.#text;
    const now = this.value;
    let start = 0;
    const shorter = Math.min(old.length, now.length);
    while (start < shorter && old[start] === now[start]) start++;
    let same = 0;
    while (same < shorter - start && old[old.length - 1 - same] === now[now.length - 1 - same]) same++;
    const end = old.length - same;
    const shift = now.length - old.length;
    const joins = (at) => /[\p{L}\p{N}\p{M}_]/u.test(now[at] ?? "");
    this.#marks = this.#marks.flatMap((mark) => {
      if (mark.end < start || (mark.end === start && !joins(start))) return [mark];
      const moved = mark.start + shift;
      if (mark.start > end || (mark.start === end && !joins(moved - 1))) return [{ ...mark, start: moved, end: mark.end + shift }];
      return [];
    });
    this.#text = now;
    this.#paint();
  }

  #paint() {
    const text = this.#text;
    const parts = [];
    let at = 0;
    for (const { start, end, kind, weak } of this.#marks) {
      if (start < at || end > text.length) continue;
      parts.push(text.slice(at, start), h("mark", { class: weak ? `${kind} weak` : kind }, text.slice(start, end)));
      at = end;
    }
    // A last empty line has no height of its own.
    parts.push(`${text.slice(at) || (at ? "" : this.#area.placeholder)}\u200b`);
    this.#mirror.replaceChildren(...parts);
  }
}

/** What no request can carry, taken out without moving anything: halves of pairs and NUL. */
export const clean = (text) => (text.toWellFormed?.() ?? text).replaceAll("\0", "\ufffd");
