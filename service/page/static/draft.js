// The article that is being written: its fields, whichever view is shown. It survives a reload, and nobody else sees it.
import { $, memory } from "./dom.js";
import { MarkedField, clean } from "./field.js";

export const TEXTS = ["headline", "summary", "body"];
const MORE = ["source", "section"];

export const fields = Object.fromEntries(TEXTS.map((name) => [name, new MarkedField($(name))]));
const listeners = [];
let published = ""; // as it was read, to the second and with its zone
let extra = {}; // what was read and has no field
let before = null; // the article that was replaced last

/** The article as it stands there, without what is empty. */
export function article() {
  const own = { ...extra };
  for (const name of TEXTS) own[name] = clean(fields[name].value);
  for (const name of MORE) own[name] = clean($(name).value.trim());
  own.published_at = published;
  return Object.fromEntries(Object.entries(own).filter(([, value]) => value !== "" && value !== null));
}

/** Whether there is anything to judge. */
export const hasText = (own) => TEXTS.some((name) => (own[name] ?? "").trim());

/** What the article has that no field shows. */
export const extras = () => Object.keys(extra).filter((name) => extra[name] !== null);

/** Leaves that out. */
export function forgetExtras() {
  extra = {};
  changed();
}

/** The article that was there before this one; null if there was none. */
export const previous = () => before;

/** Called whenever the article has changed; `true` if it is another one. */
export const onChange = (listener) => listeners.push(listener);

function changed(isOther = false) {
  memory.set("article", article());
  for (const listener of listeners) listener(isOther);
}

/** Puts an article into the fields; the one before can be brought back. */
export function put(own) {
  const now = article();
  if (hasText(now)) before = now;
  const { id: _, headline, summary, body, source, section, published_at: time, ...rest } = own;
  for (const [name, text] of Object.entries({ headline, summary, body })) fields[name].value = text ?? "";
  $("source").value = source ?? "";
  $("section").value = section ?? "";
  publish(time ?? "");
  extra = rest;
  changed(true);
}

function publish(iso) {
  const time = new Date(iso);
  published = iso && !Number.isNaN(time.getTime()) ? iso : "";
  $("published_at").value = published ? local(time) : "";
}

/** Says that it is published at this moment. */
export function publishNow() {
  publish(new Date().toISOString());
  changed();
}

/** A moment as a field for local times has it. */
export const local = (time) => new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

for (const name of [...TEXTS, ...MORE]) $(name).addEventListener("input", () => changed());
$("published_at").addEventListener("input", ({ target: { value } }) => {
  published = value ? new Date(value).toISOString() : "";
  changed();
});
// Unless somebody was quicker than this script.
if (!hasText(article())) put(memory.get("article") ?? {});
