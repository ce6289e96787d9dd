// What is dropped, chosen or pasted, read by the service: {name, articles, notes, rejected}, or {name, articles, reason, kind}.
import { Away, ask } from "./api.js";
import { h } from "./dom.js";
import { count, t } from "./texts.js";

const MOST_SAID = 8;
const LONGEST_TITLE = 200;

/** What a file or a pasted text holds; `ranked` takes the heading of a page's own list for its section. */
export async function read(content, name, { ranked = false } = {}) {
  try {
    const path = `page/read?name=${encodeURIComponent(name)}${ranked ? "&printed_sections=true" : ""}`;
    const found = await ask(path, { method: "POST", body: content, type: "application/octet-stream" });
    return { name, ...found };
  } catch (error) {
    if (error instanceof Away) throw error;
    // A text file of no known form is an article as it stands.
    if (error.kind === "unreadable-page" && content instanceof File) return { name, articles: [split(await content.text())] };
    return { name, articles: [], reason: error.message, kind: error.kind };
  }
}

/** Files, one after the other: the service reads only so much at once. */
export async function readAll(files, options) {
  const found = [];
  for (const file of files) found.push(await read(file, file.name, options));
  return found;
}

/** What there is to say of what was read, as [{text, details, bad}]; nothing where all is well. */
export function remarks({ name, articles, notes = [], rejected = [], reason }) {
  const called = name || t("article.offer.pasted");
  const found = [];
  if (reason) found.push({ text: t("read.failed", { name: called, reason }), details: [], bad: true });
  else if (!articles.length && !rejected.length) found.push({ text: t("read.nothing", { name: called }), details: [], bad: true });
  if (rejected.length) {
    found.push({ text: count("read.rejected", rejected.length, { name: called }), details: some(rejected.map((row) => row.reason)), bad: true });
  }
  if (notes.length) found.push({ text: t("read.notes", { name: called }), details: some(notes), bad: false });
  return found;
}

const some = (lines) =>
  lines.length > MOST_SAID ? [...lines.slice(0, MOST_SAID), count("list.more", lines.length - MOST_SAID)] : lines;

/** Shows remarks, or takes down those that are there. */
export function showRemarks(place, found) {
  place.replaceChildren(
    ...found.map(({ text, details }) => h("div", {}, text, details.length ? h("ul", {}, details.map((line) => h("li", {}, line))) : null)),
  );
  place.classList.toggle("bad", found.some((item) => item.bad));
  place.hidden = !found.length;
}

/** Whether a text may be more than words of one field: markup, JSON, or lines. */
export const isStructured = (text) => /^\s*[<[{]/.test(text) || /\S[^\S\n]*\n\s*\S/.test(text);

/** A text without a known form as an article: the first line is the headline, unless it reads like a paragraph. */
export function split(text) {
  const [, first, rest] = /^\s*([^\n]*)\n?([^]*)$/.exec(text.replaceAll("\r\n", "\n"));
  const isParagraph = first.length > LONGEST_TITLE || (rest.trim() && first.length > 120 && /[.!?…。]["”’»」)\]]*\s*$/.test(first));
  return isParagraph ? { body: text.trim() } : { headline: first.trim(), body: rest.trim() };
}

/** A text without a known form as articles: headlines, one a line, or parts with an empty line between and a headline each. */
export function splitMany(text) {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const filled = lines.filter(Boolean);
  if (filled.every((line) => line.length <= LONGEST_TITLE)) return filled.map((headline) => ({ headline }));
  const parts = lines.join("\n").split(/\n{3,}/);
  return parts.filter((part) => part.trim()).map(split);
}

/** What an article is called in a list. */
export function titleOf(own) {
  const text = ([own.headline, own.summary, own.body].find((part) => part?.trim()) ?? t("article.untitled")).trim();
  return text.length > 140 ? `${text.slice(0, 139)}…` : text;
}
