// The view of several headlines for one story: in order, with what makes the difference, and where there is no telling.
import { admitted, ask, events } from "./api.js";
import { article, onChange } from "./draft.js";
import { Asking } from "./asking.js";
import { $, bar, fault, h, memory, notice, show, speak } from "./dom.js";
import { MarkedField, clean } from "./field.js";
import { titleOf } from "./reading.js";
import { count, list, percent, t } from "./texts.js";
import { dealtWith } from "./troubles.js";
import { featureName, positions } from "./words.js";

const [FEWEST, MOST] = [2, 20];
const MOST_REASONS = 4;
const LEAST = 0.05; // of the largest difference: what is smaller is among everything else
const STORY = ["summary", "body", "source", "section", "published_at"];

const field = new MarkedField($("lines"));

const lines = () => clean(field.value).split("\n").map((line) => line.trim()).filter(Boolean);

const asking = new Asking(async (asked, { signal }) => {
  try {
    const found = await ask("v1/headlines", { method: "POST", body: asked, signal });
    if (signal.aborted) return;
    clearFaults();
    showRanked(found.headlines);
    speak(t("headlines.spoken", { first: found.headlines[0].headline }));
  } catch (error) {
    if (!signal.aborted) failed(error);
  }
}, { pause: 120, gap: 250 });

function failed(error) {
  if (dealtWith(error, $("headlines-notice"), asking)) return;
  clearFaults();
  const at = /^headlines(?:\[(\d+)\])?$/.exec(error.field ?? "");
  if (at) fault("lines", at[1] ? t("problem.line", { detail: error.message, line: Number(at[1]) + 1 }) : error.message);
  else notice($("headlines-notice"), t("failed", { reason: error.message }), { bad: true });
}

function clearFaults() {
  fault("lines", "");
  notice($("headlines-notice"), "");
}

/** What is known of the story: what stands in Article, if it shall count. */
function story() {
  if (!$("with-story").checked) return {};
  const own = article();
  return Object.fromEntries(Object.entries(own).filter(([name]) => STORY.includes(name)));
}

function changed(pause) {
  const given = lines();
  memory.set("headlines", { lines: field.value, story: $("with-story").checked });
  show($("headlines-clear"), given.length > 0);
  show($("headlines-example"), !given.length);
  $("lines-count").textContent = given.length ? count("headlines.count", given.length) : "";
  saidStory();
  if (given.length >= FEWEST && given.length <= MOST) {
    if (admitted()) asking.want({ ...story(), headlines: given }, pause);
    return;
  }
  asking.drop();
  clearFaults();
  if (given.length > MOST) fault("lines", count("headlines.count", given.length));
  $("headlines-given").replaceChildren();
  show($("headlines-nothing"));
}

function saidStory() {
  const { summary, body } = article();
  const text = [summary, body].find((part) => part?.trim());
  $("story-said").textContent = text ? t("headlines.story.said", { start: titleOf({ body: text }) }) : t("headlines.story.none");
}

// ---- showing

function showRanked(ranked) {
  show($("headlines-nothing"), false);
  const tied = ranked.filter((item) => !item.told_apart);
  const rest = ranked.filter((item) => item.told_apart);
  const first = ranked[0];
  const parts = [h("p", { class: "verdict" }, verdict(ranked, tied))];
  // Where something that is told apart stands between, the order goes before the groups.
  const together = tied.every((item, i) => item.rank === i + 1);
  if (first.standard_error !== null && together && ranked.length > 1) {
    parts.push(...group(tied.length > 1 ? t("headlines.tied") : t("headlines.best"), tied, first));
    if (rest.length) parts.push(...group(t("headlines.behind"), rest, first));
  } else {
    parts.push(h("ol", { class: "ordered" }, ranked.map((item) => entry(item, first))));
  }
  $("headlines-given").replaceChildren(...parts);
}

const group = (title, items, first) => [
  h("h2", { class: "group" }, title), h("ol", { class: "ordered" }, items.map((item) => entry(item, first))),
];

function verdict(ranked, tied) {
  const n = ranked.length;
  if (n === 1) return t("headlines.verdict.only");
  if (ranked[0].standard_error === null) return t("headlines.verdict.noise", { n });
  if (tied.length === 1) return n === 2 ? t("headlines.verdict.two") : t("headlines.verdict.one", { n });
  if (tied.length === n) return t("headlines.verdict.all", { n });
  return t("headlines.verdict.mixed", { numbers: list(tied.slice(1).map((item) => String(item.rank))) });
}

function entry(item, first) {
  const about = [t("headlines.chance", { chance: percent(item.top5_probability) }), t("headlines.ahead", { n: percent(item.popularity_percentile / 100) })];
  if (item !== first) about.push(item.told_apart ? t("headlines.pairs", { n: Math.round(100 * item.better_chance) }) : t("headlines.untold"));
  if (item.positions.length > 1) about.push(t("headlines.times", { n: item.positions.length }));
  return h("li", {}, h("span", { class: "rank", "aria-hidden": "true" }, String(item.rank)),
    h("div", {}, h("p", { class: "title", dir: "auto" }, marked(item)), h("p", { class: "about" }, about.join(" · ")), reasons(item, first)));
}

/** The headline, with the words marked by which it differs from the first. */
function marked(item) {
  const at = positions(item.headline);
  const largest = Math.max(0, ...item.words.map((word) => Math.abs(word.difference)));
  const stretches = item.words
    .filter((word) => Math.abs(word.difference) >= LEAST * largest)
    .flatMap((word) => word.spans.map(([, start, end]) => ({ start: at(start), end: at(end), kind: word.difference > 0 ? "for" : "against" })))
    .sort((a, b) => a.start - b.start);
  const parts = [];
  let done = 0;
  for (const { start, end, kind } of stretches) {
    if (start < done) continue;
    parts.push(item.headline.slice(done, start), h("mark", { class: kind }, item.headline.slice(start, end)));
    done = end;
  }
  return [...parts, item.headline.slice(done)];
}

function reasons(item, first) {
  const largest = Math.max(0, ...item.words.map((word) => Math.abs(word.difference)));
  const shown = item.words.filter((word) => Math.abs(word.difference) >= LEAST * largest).slice(0, MOST_REASONS);
  if (item === first || !shown.length) return null;
  const rest = -item.behind - shown.reduce((sum, word) => sum + word.difference, 0);
  const rows = shown.map((word) => ({ name: named(word), amount: word.difference }));
  if (Math.abs(rest) >= LEAST * largest) rows.push({ name: t("headlines.rest"), amount: rest });
  const most = Math.max(...rows.map((row) => Math.abs(row.amount)));
  return h("div", { class: "reasons" }, h("p", { class: "said" }, item.told_apart ? t("headlines.why") : t("headlines.why.tied")),
    h("ul", { class: "shares" }, rows.map(({ name, amount }) => reason(name, amount, most))));
}

function reason(name, amount, most) {
  const kind = amount > 0 ? "for" : "against";
  return h("li", {}, h("span", { class: "label", dir: "auto" }, h("span", { class: `sign ${kind}` }, amount > 0 ? "+" : "−"), ` ${name}`),
    bar(Math.abs(amount) / most, kind));
}

function named(word) {
  const [here, there] = [word.spans.length > 0, word.first_spans.length > 0];
  if (!here && !there) return featureName(word.feature);
  const said = { word: word.feature };
  if (here && there) return t("headlines.both", said);
  return here ? t("headlines.with", said) : t("headlines.without", said);
}

// ---- wiring

/** Makes the view work. */
export function init() {
  field.area.addEventListener("input", () => changed());
  field.area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    asking.again();
    $("headlines-answer").focus();
  });
  $("with-story").addEventListener("change", () => changed());
  $("headlines-form").addEventListener("submit", (event) => event.preventDefault());
  const write = (text) => {
    field.value = text;
    changed();
    field.area.focus();
  };
  $("headlines-clear").addEventListener("click", () => write(""));
  $("headlines-example").addEventListener("click", () => write(t("headlines.example")));
  events.addEventListener("session", () => changed(0));
  const kept = memory.get("headlines");
  $("with-story").checked = kept?.story ?? true;
  if (!field.value) field.value = kept?.lines ?? "";
  changed();
  onChange(() => {
    if ($("with-story").checked) changed();
    else saidStory();
  });
}
