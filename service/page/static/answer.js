// What the model says of one article, shown: its section, its readers, the words behind both, their marks in the text.
import { $, bar, h, show } from "./dom.js";
import { clean } from "./field.js";
import { count, list, percent, t } from "./texts.js";
import { featureName, gather, sides } from "./words.js";

const MOST_SECTIONS = 5;
const LEAST_SECTION = 0.01;
const MOST_WORDS = 5;

/** Shows a prediction; null takes the last one down. */
export function showPrediction(answer) {
  show($("answer-given"), answer !== null);
  show($("answer-nothing"), answer === null);
  show($("glance"), answer !== null);
  if (!answer) return;
  showSections(answer);
  showReaders(answer);
  const parts = [];
  if (answer.section !== null) parts.push(`${assigned(answer)} ${percent(answer.section_probability)}`);
  if (answer.top5_probability !== null) parts.push(t("article.glance", { chance: percent(answer.top5_probability) }));
  $("glance").replaceChildren(...parts.map((text) => h("span", {}, text)));
}

const assigned = (answer) => {
  const names = answer.section_scores.filter((score) => score.assigned).map((score) => score.name);
  return list(names.length ? names : [answer.section]);
};

function showSections(answer) {
  const place = $("answer-section");
  if (answer.section === null) {
    place.replaceChildren(h("p", { class: "told" }, t("section.missing")));
    return;
  }
  const scores = answer.section_scores;
  const shown = scores.filter((score, i) => score.assigned || i < 2 || (i < MOST_SECTIONS && score.probability >= LEAST_SECTION));
  const several = shown.filter((score) => score.assigned).length > 1;
  const rest = scores.filter((score) => !shown.includes(score));
  const most = Math.max(LEAST_SECTION, ...rest.map((score) => score.probability));
  place.replaceChildren(
    h("p", { class: "big" }, h("span", { dir: "auto" }, assigned(answer)), h("span", { class: "figure" }, percent(answer.section_probability))),
    h("p", { class: `decision ${answer.decision}` }, t("decision." + answer.decision)),
    h("ul", { class: "shares" }, shown.map((score) => sectionRow(score, several && score.assigned))),
    rest.length ? h("p", { class: "told" }, count("section.others", rest.length, { share: percent(most) })) : "",
  );
  $("sections").replaceChildren(...scores.map((score) => h("option", { value: score.name })));
}

const sectionRow = ({ name, probability, assigned: isAssigned }, isSaid) =>
  h("li", {},
    h("span", { class: isAssigned ? "label assigned" : "label", dir: "auto" }, name, isSaid ? h("span", { class: "said" }, ` ${t("section.assigned")}`) : null),
    bar(probability), h("span", { class: "value" }, percent(probability)));

function showReaders({ popularity_score: score, top5_probability: chance, popularity_percentile: percentile }) {
  const place = $("answer-readers");
  if (score === null) {
    place.replaceChildren(h("p", { class: "told" }, t("readers.missing")));
    return;
  }
  place.replaceChildren(
    h("p", { class: "big" }, h("span", { class: "figure" }, percent(chance))),
    h("p", {}, t("readers.chance")),
    bar(chance),
    h("p", { class: "told" }, t("readers.ahead", { n: percent(percentile / 100) })),
  );
}

/** What stands behind an answer to `texts`, from its explanation: {section, popularity, rival}. */
export function understand(answer, texts) {
  const second = answer.section_scores?.[1];
  // With several sections an article the second is no rival: it may have both.
  const rival = second && !second.assigned ? second.name : null;
  return {
    section: gather(texts, answer.explanation, "section", rival === null ? "contribution" : "against"),
    popularity: gather(texts, answer.explanation, "popularity", "contribution"),
    rival,
  };
}

/** Shows the words behind an answer. */
export function showWords(answer, { section, popularity, rival }) {
  const place = $("answer-section-words");
  if (answer.section === null) place.replaceChildren();
  else if (!section.words.some((item) => item.stands)) place.replaceChildren(h("p", { class: "told" }, t("section.unknown")));
  else {
    const other = rival === null ? t("section.why.against.same", { name: answer.section }) : t("section.why.against", { name: rival });
    place.replaceChildren(...bothSides(section.words, t("section.why", { name: answer.section }), other));
  }
  const readers = answer.popularity_score === null ? [] : bothSides(popularity.words, t("readers.lift"), t("readers.sink"));
  if (readers.length) readers.push(h("p", { class: "told" }, t("share.note")));
  $("answer-readers-words").replaceChildren(...readers);
}

/** The strongest words of both sides, each with its share of everything on its side. */
function bothSides(words, plusTitle, minusTitle) {
  const { plus, minus } = sides(words, MOST_WORDS);
  const most = Math.max(...[...plus, ...minus].map((item) => Math.abs(item.amount)));
  return [h("div", { class: "sides" }, oneSide(plus, most, plusTitle, "for", "+"), oneSide(minus, most, minusTitle, "against", "−"))];
}

function oneSide(words, most, title, kind, sign) {
  if (!words.length) return null;
  const row = (item) =>
    h("li", {}, h("span", { class: "label", dir: "auto" }, item.stands ? item.name : featureName(item.name)),
      bar(Math.abs(item.amount) / most, kind), h("span", { class: "value" }, percent(item.share)));
  return h("div", {},
    h("h4", { dir: "auto" }, h("span", { class: `sign ${kind}`, "aria-hidden": "true" }, sign), ` ${title}`),
    h("ul", { class: "shares" }, words.map(row)));
}

/** Marks the words that decided in the fields that still hold `texts`; in others the marks have moved along. */
export function showMarks(fields, texts, answer, understood, which) {
  const found = understood?.[which];
  for (const [name, field] of Object.entries(fields)) {
    if (clean(field.value) === (texts[name] ?? "")) field.mark(found?.marks[name] ?? []);
  }
  const legend = $("marks-legend");
  legend.replaceChildren();
  if (!found) return;
  if (!Object.values(found.marks).some((marks) => marks.length)) {
    legend.append(t("marks.nothing"));
    return;
  }
  const { rival } = understood;
  const names = which === "popularity" ? [t("marks.lift"), t("marks.sink")]
    : [t("marks.for", { name: answer.section }), rival === null ? t("marks.against.same", { name: answer.section }) : t("marks.against", { name: rival })];
  legend.append(h("mark", { class: "for" }, names[0]), " · ", h("mark", { class: "against" }, names[1]));
}

/** An answer in a sentence, for those who hear it. */
export function spoken(answer) {
  const chance = answer.top5_probability === null ? "" : percent(answer.top5_probability);
  if (answer.section === null) return t("article.spoken.readers", { chance });
  const said = { section: assigned(answer), probability: percent(answer.section_probability), decision: t("decision." + answer.decision), chance };
  return chance ? t("article.spoken", said) : t("article.spoken.section", said);
}
