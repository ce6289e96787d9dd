// From an explanation to words: what each adds, and where it stands. Spans come in code points, strings are in UTF-16.
import { knows, t } from "./texts.js";

const INTERCEPT = "(intercept)";
const UNKNOWN_TIME = "(time)";
const MOST_MARKED = 40;
const LEAST_MARKED = 0.15; // of the strongest word
const WEAK = 0.4;
const segmenter = "Segmenter" in Intl ? new Intl.Segmenter(undefined, { granularity: "word" }) : null;

/** A function from code points to positions in the string. */
export function positions(text) {
  if (!/[\ud800-\udbff]/.test(text)) return (point) => Math.min(point, text.length);
  const at = [];
  for (let i = 0; i < text.length; i += text.codePointAt(i) > 0xffff ? 2 : 1) at.push(i);
  return (point) => at[point] ?? text.length;
}

/** The words of a text: [{start, end, word}]. */
export function wordsOf(text) {
  if (!segmenter) return [...text.matchAll(/[\p{L}\p{N}\p{M}_]+/gu)].map((m) => word(m[0], m.index));
  const found = [];
  for (const part of segmenter.segment(text)) if (part.isWordLike) found.push(word(part.segment, part.index));
  return found;
}

const word = (text, start) => ({ start, end: start + text.length, word: text.toLowerCase() });

const isAveraged = (feature, averaged) => averaged && /(?:^| × )(?:hour|weekday|daypart): [^×]*$/.test(feature);

/** The words, of those sorted by place, that a stretch of the text touches. */
function* covered(words, start, end) {
  let low = 0;
  let high = words.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[middle].end <= start) low = middle + 1;
    else high = middle;
  }
  for (; low < words.length && words[low].start < end; low++) yield words[low];
}

/**
 * What each word adds to a head's score (`number` "contribution") or to the lead over the second ("against").
 *
 * A feature is shared equally by the words it stands on; one that stands nowhere keeps its name. The largest effect comes
 * first: [{name, amount, stands}]; `marks` are the places of the strongest by field: {field: [{start, end, kind, weak}]}.
 */
export function gather(texts, parts, head, number) {
  const words = {};
  const place = {};
  for (const [field, text] of Object.entries(texts)) {
    words[field] = wordsOf(text);
    place[field] = positions(text);
  }
  const totals = new Map();
  // Without a time an article has something of every hour.
  const many = (name) => parts.filter((part) => part.head === head && part.feature.startsWith(name)).length;
  const averaged = many("hour: ") > 1 || many("daypart: ") > 2;
  const add = (key, amount) => totals.set(key, (totals.get(key) ?? 0) + amount);
  for (const part of parts) {
    const amount = part[number];
    if (part.head !== head || amount === null || part.feature === INTERCEPT) continue;
    const names = [];
    for (const [field, start, end] of part.spans) {
      if (!(field in words)) continue;
      for (const found of covered(words[field], place[field](start), place[field](end))) names.push(found.word);
    }
    if (names.length) for (const name of names) add(`w${name}`, amount / names.length);
    else add(`f${isAveraged(part.feature, averaged) ? UNKNOWN_TIME : part.feature}`, amount);
  }
  const all = [...totals].map(([key, amount]) => ({ name: key.slice(1), amount, stands: key[0] === "w" }));
  all.sort((a, b) => Math.abs(b.amount) - Math.abs(a.amount) || (a.name < b.name ? -1 : 1));
  return { words: all, marks: marksOf(words, all) };
}

function marksOf(words, all) {
  const standing = all.filter((item) => item.stands && item.amount).slice(0, MOST_MARKED);
  const most = Math.abs(standing[0]?.amount ?? 0);
  const kinds = new Map();
  for (const { name, amount } of standing) {
    const share = Math.abs(amount) / most;
    if (share >= LEAST_MARKED) kinds.set(name, { kind: amount > 0 ? "for" : "against", weak: share < WEAK });
  }
  const marks = {};
  for (const [field, own] of Object.entries(words)) {
    marks[field] = own.flatMap(({ start, end, word: name }) => (kinds.has(name) ? [{ start, end, ...kinds.get(name) }] : []));
  }
  return marks;
}

/** The share of everything on its side that each of the strongest words has, and of all that is not listed. */
export function sides(all, most) {
  const side = (sign) => {
    const own = all.filter((item) => item.amount * sign > 0);
    const total = own.reduce((sum, item) => sum + Math.abs(item.amount), 0);
    return own.slice(0, most).map((item) => ({ ...item, share: Math.abs(item.amount) / total }));
  };
  return { plus: side(1), minus: side(-1) };
}

/** The name of a feature that stands nowhere in the text, in words. */
export function featureName(feature) {
  // What is crossed is named as if it were alone; a value may hold the sign, too.
  const cross = feature.lastIndexOf(" × ");
  if (cross >= 0 && feature.includes(": ", cross)) return `${feature.slice(0, cross)} × ${featureName(feature.slice(cross + 3))}`;
  if (knows("feature." + feature)) return t("feature." + feature);
  const split = feature.indexOf(": ");
  const kind = feature.slice(0, split);
  const value = feature.slice(split + 2);
  if (feature === UNKNOWN_TIME) return t("feature.no-time");
  if (split < 0) return feature;
  if (kind === "headline shape") return t("feature.shape", { value: shapeName(value) });
  if (kind.endsWith(" length") && knows("feature." + kind)) return t(`feature.${kind}.about`, { value: value.replace("about ", "") });
  if (kind === "source without url") return t("feature.no-url");
  if (kind === "daypart") return daypartName(value);
  if (["hour", "weekday", "source", "section", "url"].includes(kind)) return t("feature." + kind, { value });
  return feature;
}

function daypartName(value) {
  const around = /^around (\d+), (.+)$/.exec(value);
  if (around) return t("feature.daypart.around", { value: around[1], days: t("feature.days." + around[2]) });
  return t("feature.daypart", { value: value.replace(" to ", "–") });
}

/** A property of a headline, in words. */
export const shapeName = (name) => (knows("shape." + name) ? t("shape." + name) : name);
