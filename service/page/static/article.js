// The view of one article: what is written on the left, what the model says of it on the right.
import { showMarks, showPrediction, showWords, spoken, understand } from "./answer.js";
import { Away, admitted, ask, events } from "./api.js";
import { Asking } from "./asking.js";
import { $, fault, h, memory, notice, show, speak } from "./dom.js";
import { TEXTS, article, extras, fields, forgetExtras, hasText, onChange, previous, publishNow, put } from "./draft.js";
import { isStructured, read, readAll, remarks, showRemarks, split, titleOf } from "./reading.js";
import { count, list, t } from "./texts.js";
import { dealtWith } from "./troubles.js";

const FAULTS = [...TEXTS, "source", "section", "published_at"];
const MOST_OFFERED = 200;
const REST_MS = 15; // between a prediction and its explanation; of long articles as long as the last one took
const LONG_MS = 250;

let took = 0; // milliseconds, the last explanation
let predicted = null; // what was predicted last
let explained = null; // { answer, texts, understood }: the last answer that was explained, and what it was of
let rankAll = () => {};

// ---- asking

const asking = new Asking(async (own, { signal, stale }) => {
  try {
    // Once it has been predicted, only the explanation may be asked for again.
    if (predicted !== own) {
      const answer = await ask("v1/predict", { method: "POST", body: own, signal });
      if (signal.aborted) return;
      predicted = own;
      clearFaults();
      showPrediction(answer);
      await new Promise((done) => setTimeout(done, took > LONG_MS ? took : REST_MS));
    }
    if (stale()) return;
    const began = performance.now();
    const more = await ask("v1/predict?explain=true", { method: "POST", body: own, signal });
    took = performance.now() - began;
    if (signal.aborted || stale()) return;
    clearFaults();
    explain(more, own);
  } catch (error) {
    if (!signal.aborted) failed(error);
  }
});

function explain(answer, own) {
  const texts = Object.fromEntries(TEXTS.map((name) => [name, own[name] ?? ""]));
  explained = { answer, texts, understood: understand(answer, texts) };
  showPrediction(answer);
  showWords(answer, explained.understood);
  markWords();
  speak(spoken(answer));
}

function markWords() {
  const which = document.querySelector("input[name=marks]:checked").value;
  if (explained) showMarks(fields, explained.texts, explained.answer, explained.understood, which);
}

function failed(error) {
  if (dealtWith(error, $("answer-notice"), asking)) return;
  clearFaults();
  if (!FAULTS.includes(error.field) || !fault(error.field, error.message)) {
    notice($("answer-notice"), t("failed", { reason: error.message }), { bad: true });
  } else if (!TEXTS.includes(error.field)) {
    $("article-more").open = true;
  }
}

function clearFaults() {
  for (const name of FAULTS) fault(name, "");
  notice($("answer-notice"), "");
}

function changed(isOther) {
  const own = article();
  show($("article-clear"), Object.keys(own).length > 0);
  show($("article-back"), previous() !== null);
  show($("article-example"), !hasText(own));
  sayMore(own);
  if (isOther) {
    offer(null);
    notice($("article-notice"), "");
  }
  if (!hasText(own)) {
    asking.drop();
    explained = null;
    clearFaults();
    showPrediction(null);
  } else if (admitted()) {
    asking.want(own);
  }
}

function sayMore(own) {
  const said = [own.source, own.published_at && $("published_at").value.replace("T", " "), own.section];
  $("article-more-said").textContent = said.filter(Boolean).join(" · ");
  const names = extras();
  $("article-extra").replaceChildren(t("article.extra", { names: list(names) }), " ",
    h("button", { type: "button", class: "text", onclick: forgetExtras }, t("article.extra.forget")));
  show($("article-extra"), names.length > 0);
}

// ---- files and pastes

/** Reads files into the view; of several articles one can be chosen. */
export async function take(files) {
  await reading(() => readAll(files), null);
}

async function takeText(text) {
  await reading(async () => [await read(text, "")], text);
}

async function reading(work, pasted) {
  notice($("article-notice"), t("reading"));
  let found = [];
  try {
    found = await work();
  } catch (error) {
    if (!(error instanceof Away)) throw error;
  }
  notice($("article-notice"), "");
  const articles = found.flatMap((item) => item.articles);
  if (articles.length === 1) put(articles[0]);
  else if (articles.length) offer({ articles, name: found.length === 1 ? found[0].name : "", pasted });
  // A text of no known form is an article as it stands.
  else if (pasted !== null) put(split(pasted));
  if (pasted === null || articles.length) showRemarks($("article-notice"), found.flatMap(remarks));
  if (pasted !== null && articles.length < 2) fields.headline.area.focus();
}

function offer(found) {
  const place = $("article-offer");
  place.replaceChildren();
  show(place, found !== null);
  if (!found) return;
  const { articles, name, pasted } = found;
  const button = (text, onclick, kind) => h("button", { type: "button", class: kind, onclick }, text);
  const rows = articles.slice(0, MOST_OFFERED).map((own) =>
    h("li", {}, h("button", { type: "button", class: "text", dir: "auto", onclick: () => put(own) }, titleOf(own))));
  if (articles.length > MOST_OFFERED) rows.push(h("li", {}, count("list.more", articles.length - MOST_OFFERED)));
  const rank = () => {
    offer(null);
    rankAll(articles);
  };
  place.append(
    h("h2", {}, count("article.offer", articles.length, { name: name || t("article.offer.pasted") })),
    h("ol", {}, rows),
    h("div", { class: "tools" }, button(t("article.offer.rank"), rank),
      pasted === null ? "" : button(t("article.offer.text"), () => put(split(pasted)), "quiet"),
      button(t("close"), () => offer(null), "quiet")),
  );
  place.querySelector("button").focus();
}

function pasted(event) {
  const { files } = event.clipboardData;
  const area = event.target;
  const text = event.clipboardData.getData("text/plain");
  const others = TEXTS.some((name) => fields[name].area !== area && fields[name].value.trim());
  const stays = area.value.slice(0, area.selectionStart) + area.value.slice(area.selectionEnd);
  if (files.length) {
    event.preventDefault();
    take([...files]);
  } else if (!others && !stays.trim() && isStructured(text)) {
    event.preventDefault();
    takeText(text);
  }
}

// ---- wiring

/** Makes the view work; `rank` takes articles over to the ranking. */
export function init({ rank }) {
  rankAll = rank;
  for (const name of TEXTS) {
    fields[name].area.addEventListener("paste", pasted);
    fields[name].area.addEventListener("keydown", (event) => pressed(event, name));
  }
  $("article-now").addEventListener("click", publishNow);
  replaces("article-clear", () => ({}));
  replaces("article-back", previous);
  replaces("article-example", () => Object.fromEntries(TEXTS.map((name) => [name, t("article.example." + name)])));
  $("article-files").addEventListener("change", ({ target }) => {
    take([...target.files]);
    target.value = "";
  });
  for (const input of document.querySelectorAll("input[name=marks]")) input.checked = input.value === (memory.get("marks") ?? "section");
  $("marks").addEventListener("change", ({ target }) => {
    memory.set("marks", target.value);
    markWords();
  });
  $("glance").addEventListener("click", (event) => {
    event.preventDefault();
    toAnswer();
  });
  $("article-form").addEventListener("submit", (event) => event.preventDefault());
  events.addEventListener("session", () => changed(false));
  onChange(changed);
  changed(false);
}

function replaces(id, own) {
  $(id).addEventListener("click", () => {
    put(own());
    fields.headline.area.focus();
  });
}

function pressed(event, name) {
  if (event.key !== "Enter" || event.isComposing) return;
  if (event.ctrlKey || event.metaKey) toAnswer();
  else if (name !== "body" && !event.shiftKey) fields[TEXTS[TEXTS.indexOf(name) + 1]].area.focus();
  else return;
  event.preventDefault();
}

function toAnswer() {
  asking.again();
  $("answer").focus();
  $("answer").scrollIntoView({ block: "nearest" });
}
