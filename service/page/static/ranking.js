// The view of many articles: what was added above, the lists as a newspaper prints them below.
import { Away, admitted, ask, events } from "./api.js";
import { local, put } from "./draft.js";
import { Asking } from "./asking.js";
import { $, bar, fault, h, memory, notice, save, show, speak } from "./dom.js";
import { read, readAll, remarks, showRemarks, splitMany, titleOf } from "./reading.js";
import { count, percent, t } from "./texts.js";
import { dealtWith } from "./troubles.js";

const OPTIONS = ["top", "half_life", "now", "per_source"];
const MOST_LISTED = 500;
const LEAST_BAR = 0.04;
const TYPES = { txt: "text/plain", csv: "text/csv", json: "application/json" };

let articles = [];
let before = null;
let shown = null; // { asked, lists }
let wrong = -1; // the article that the service refused
let go = () => {};

const options = () => {
  const number = (id) => ($(id).value === "" ? null : Number($(id).value));
  const found = { top: number("top") ?? 5, half_life: number("half_life"), per_source: number("per_source") };
  found.keep_duplicates = $("keep_duplicates").checked;
  if (found.half_life !== null && $("now").value) found.now = new Date($("now").value).toISOString();
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== null));
};

const asking = new Asking(async (asked, { signal }) => {
  try {
    const lists = await ask("v1/rank", { method: "POST", body: asked, signal });
    if (signal.aborted) return;
    clearFaults();
    shown = { asked, lists };
    showLists();
    const first = lists.site[0];
    if (first) speak(count("ranking.spoken", asked.articles.length, { first: first.headline }));
  } catch (error) {
    if (!signal.aborted) failed(error);
  }
}, { pause: 150, gap: 250 });

function failed(error) {
  if (dealtWith(error, $("ranking-trouble"), asking)) return;
  clearFaults();
  const at = /^articles\[(\d+)\]/.exec(error.field ?? "");
  wrong = at ? Number(at[1]) : -1;
  if (at) {
    fault("articles", `${titleOf(articles[wrong])}: ${error.message}`);
    $("ranking-list").open = true;
    showGiven();
  } else if (!fault(error.field ?? "", error.message)) {
    notice($("ranking-trouble"), t("failed", { reason: error.message }), { bad: true });
  }
}

function clearFaults() {
  notice($("ranking-trouble"), "");
  for (const id of [...OPTIONS, "articles"]) fault(id, "");
  if (wrong >= 0) {
    wrong = -1;
    showGiven();
  }
}

function changed(pause) {
  memory.set("ranking", { articles, options: Object.fromEntries([...OPTIONS, "keep_duplicates"].map((id) => [id, state(id)])) });
  $("now").disabled = $("ranking-now").disabled = $("half_life").value === "";
  show($("ranking-clear"), articles.length > 0);
  show($("ranking-back"), before !== null && !articles.length);
  if (!articles.length) {
    asking.drop();
    shown = null;
    clearFaults();
    showLists();
  } else if (admitted() && OPTIONS.every((id) => $(id).checkValidity() || refuse(id))) {
    asking.want({ articles, ...options() }, pause);
  }
}

const state = (id) => ($(id).type === "checkbox" ? $(id).checked : $(id).value);

function refuse(id) {
  fault(id, $(id).validationMessage);
  return false;
}

// ---- the articles

/** Adds articles, and ranks them. */
export function add(more) {
  const known = new Set(articles.map((own) => own.id));
  // Lines of the lists are found again by id.
  const own = more.map((one, i) => ({ ...one, id: one.id || `${articles.length + i}-${titleOf(one).slice(0, 40)}` }));
  articles = [...articles, ...own.filter((one) => !known.has(one.id))];
  showGiven();
  changed();
}

/** Reads files into the list. */
export async function take(files) {
  await reading(() => readAll(files, { ranked: true }));
}

async function takeText(text) {
  if (!text.trim()) return;
  const nothing = await reading(async () => {
    const found = await read(text, "", { ranked: true });
    return [found.kind === "unreadable-page" ? { name: "", articles: splitMany(text) } : found];
  });
  $("ranking-paste").value = nothing ? text : "";
}

async function reading(work) {
  notice($("ranking-notice"), t("reading"));
  let found;
  try {
    found = await work();
  } catch (error) {
    if (!(error instanceof Away)) throw error;
    notice($("ranking-notice"), "");
    return true;
  }
  showRemarks($("ranking-notice"), found.flatMap(remarks));
  add(found.flatMap((item) => item.articles));
  return found.every((item) => !item.articles.length);
}

function showGiven() {
  show($("ranking-list"), articles.length > 0);
  $("ranking-count").textContent = count("ranking.count", articles.length);
  const rows = articles.slice(0, MOST_LISTED).map((own, i) => {
    const name = titleOf(own);
    return h("li", { class: i === wrong ? "bad" : null },
      h("button", { type: "button", class: "text title", dir: "auto", onclick: () => openArticle(own) }, name),
      h("button", { type: "button", class: "text", "aria-label": t("ranking.remove.label", { name }), onclick: () => remove(i) }, t("ranking.remove")));
  });
  if (articles.length > MOST_LISTED) rows.push(h("li", {}, count("list.more", articles.length - MOST_LISTED)));
  $("ranking-given").replaceChildren(...rows);
}

function remove(at) {
  articles = articles.filter((_, i) => i !== at);
  wrong = -1;
  showGiven();
  changed();
  const rows = $("ranking-given").querySelectorAll("li > button:last-child");
  (rows[Math.min(at, rows.length - 1)] ?? $("ranking-paste")).focus();
}

function openArticle(own) {
  put(own);
  go("article");
}

// ---- the lists

function showLists() {
  show($("ranking-given-boards"), shown !== null);
  show($("ranking-nothing"), shown === null);
  if (!shown) return $("boards").replaceChildren();
  const { site, by_section } = shown.lists;
  const all = [...site, ...Object.values(by_section).flat()].map((entry) => entry.ranking_score);
  const low = Math.min(...all);
  const scale = { low, range: Math.max(...all) - low };
  const boards = Object.entries(by_section).map(([name, entries]) => board(t("ranking.section", { name }), entries, scale, false));
  return $("boards").replaceChildren(board(t("ranking.site"), site, scale, true), ...boards);
}

function board(title, entries, scale, isSite) {
  return h("section", { class: isSite ? "board site" : "board", "aria-label": title },
    h("h2", { dir: "auto" }, title), h("ol", {}, entries.map((entry) => line(entry, scale, isSite))));
}

function line(entry, { low, range }, isSite) {
  const about = [
    isSite && entry.section ? entry.section : "",
    t("ranking.chance", { chance: percent(entry.top5_probability) }),
    entry.duplicates ? count("ranking.duplicates", entry.duplicates) : "",
  ];
  const share = range > 0 ? (entry.ranking_score - low) / range : 1;
  const own = shown.asked.articles.find((one) => one.id === entry.id);
  const title = own
    ? h("button", { type: "button", class: "text title", dir: "auto", onclick: () => openArticle(own) }, entry.headline)
    : h("span", { class: "title", dir: "auto" }, entry.headline);
  return h("li", {}, h("span", { class: "rank", "aria-hidden": "true" }, String(entry.rank)),
    h("div", {}, title, h("p", { class: "about" }, about.filter(Boolean).join(" · ")), bar(LEAST_BAR + (1 - LEAST_BAR) * share)));
}

async function saveAs(kind) {
  try {
    const blob = kind === "json"
      ? new Blob([`${JSON.stringify(shown.lists, null, 2)}\n`], { type: TYPES.json })
      : await ask(`page/rank.${kind}`, { method: "POST", body: shown.asked, as: "blob" });
    save(`ranking.${kind}`, blob);
  } catch (error) {
    if (!dealtWith(error, $("ranking-trouble"))) notice($("ranking-trouble"), t("failed", { reason: error.message }), { bad: true });
  }
}

// ---- wiring

/** Makes the view work; `go` leads to another one. */
export function init(page) {
  go = page.go;
  const paste = $("ranking-paste");
  paste.addEventListener("paste", (event) => {
    const { files } = event.clipboardData;
    const text = event.clipboardData.getData("text/plain");
    if (paste.value.trim() || !(files.length || text.trim())) return;
    event.preventDefault();
    if (files.length) take([...files]);
    else takeText(text);
  });
  paste.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    takeText(paste.value);
  });
  $("ranking-add").addEventListener("click", () => takeText(paste.value));
  $("ranking-files").addEventListener("change", (event) => {
    take([...event.target.files]);
    event.target.value = "";
  });
  $("ranking-clear").addEventListener("click", () => {
    before = articles;
    articles = [];
    notice($("ranking-notice"), "");
    showGiven();
    changed();
    paste.focus();
  });
  $("ranking-back").addEventListener("click", () => {
    add(before);
    paste.focus();
  });
  $("ranking-form").addEventListener("submit", (event) => event.preventDefault());
  for (const id of [...OPTIONS, "keep_duplicates"]) {
    $(id).addEventListener("input", () => {
      fault(id, "");
      changed();
    });
  }
  $("ranking-now").addEventListener("click", () => {
    $("now").value = local(new Date());
    changed();
  });
  for (const button of document.querySelectorAll("[data-export]")) {
    button.addEventListener("click", () => saveAs(button.dataset.export));
  }
  $("ranking-print").addEventListener("click", () => window.print());
  events.addEventListener("session", () => changed(0));
  restore(memory.get("ranking"));
}

function restore(kept) {
  for (const [id, value] of Object.entries(kept?.options ?? {})) {
    if ($(id).type === "checkbox") $(id).checked = value;
    else $(id).value = value;
  }
  articles = kept?.articles ?? [];
  showGiven();
  changed();
}
