// The view of the model: which version answers, how good it is, its card and pictures, and for admins another version.
import { admitted, ask, events } from "./api.js";
import { $, h, notice } from "./dom.js";
import { date, decimal, percent, t } from "./texts.js";
import { dealtWith } from "./troubles.js";

let asked = 0;
let visible = false;
let confirm = async () => false;
let signIn = () => {};

/** Asks anew; what is shown stays until the answer is there. */
async function refresh(done = "") {
  if (!admitted()) return;
  const number = ++asked;
  try {
    const found = await ask("page/model");
    if (number !== asked) return;
    notice($("model-notice"), done);
    render(found);
  } catch (error) {
    failed(error);
  }
}

/** Called when this view is shown, or another one. */
export function shown(now) {
  visible = now;
  if (visible) refresh();
}

function failed(error) {
  if (!dealtWith(error, $("model-notice"))) notice($("model-notice"), t("failed", { reason: error.message }), { bad: true });
}

function render(found) {
  const opened = new Set([...document.querySelectorAll("#model details[open]")].map((details) => details.dataset.title));
  $("model-given").replaceChildren(
    h("div", { class: "model" },
      h("p", { class: "title", dir: "auto" }, found.model),
      h("p", { class: "said" }, found.created ? `${t("model.created", { date: date(found.created) })} · ` : "", found.version),
      figures(found.figures ?? []), versions(found), pictures(found), card(found.card)),
  );
  for (const details of document.querySelectorAll("#model details")) details.open = opened.has(details.dataset.title);
}

// ---- figures

const asShare = (value) => percent(value);
const FIGURES = {
  "sections.accuracy": asShare,
  "sections.micro_f1": (value) => decimal(value, 3),
  "sections.macro_f1": (value) => decimal(value, 3),
  "sections.ece": (value) => decimal(value, 3),
  "popularity.top5_overlap": (value) => t("figure.of5", { n: decimal(5 * value, 1) }),
  "popularity.pairwise_accuracy": asShare,
  "popularity.ndcg_at_10": (value) => decimal(value, 3),
  "popularity.auc": (value) => decimal(value, 3),
  "popularity.top5_ece": (value) => decimal(value, 3),
};

function figures(all) {
  const parts = all.flatMap((item) => {
    if (item.name === "sections.file" && item.coverage > 0) {
      const words = t("figure.sections.file", { target: percent(item.target), precision: percent(item.precision) });
      return [fact(percent(item.coverage), words)];
    }
    const format = FIGURES[item.name];
    if (!format || item.value === null || item.value === undefined) return [];
    const between = item.low === null || item.low === undefined ? "" : ` ${t("figure.interval", { low: format(item.low), high: format(item.high) })}`;
    return [fact(format(item.value), t("figure." + item.name) + between)];
  });
  return parts.length ? [h("h2", {}, t("model.figures")), h("dl", { class: "facts" }, parts)].reduce(joined, h("div", {})) : null;
}

const joined = (place, part) => {
  place.append(part);
  return place;
};

const fact = (figure, words) => h("div", {}, h("dt", {}, words), h("dd", {}, figure));

// ---- versions

function versions(found) {
  const all = [...found.versions].reverse();
  const rows = all.map((item) =>
    h("tr", {}, h("td", {}, named(item), h("div", { class: "id" }, item.version)),
      h("td", {}, item.current ? h("strong", {}, t("model.current")) : null,
        !item.current && found.may_promote && !found.pinned
          ? h("button", { type: "button", "aria-label": t("model.promote.label", { date: named(item) }), onclick: () => promote(item) }, t("model.promote"))
          : null)));
  const parts = [h("h2", {}, t("model.versions")), h("table", { class: "versions" }, h("tbody", {}, rows))];
  const back = all.find((item) => item.version === found.can_roll_back);
  if (found.pinned) parts.push(h("p", { class: "hint" }, t("model.pinned")));
  else if (!found.may_promote) {
    parts.push(h("p", { class: "hint" }, t("model.not-admin"), " ",
      h("button", { type: "button", class: "text", onclick: () => signIn() }, t("sign-in"))));
  } else if (back) {
    parts.push(h("p", { class: "tools hint" }, h("button", { type: "button", class: "quiet", onclick: () => rollBack(back) }, t("model.rollback", { date: named(back) }))));
  }
  return h("div", {}, parts);
}

const named = (item) => (item.created ? date(item.created) : item.version);

async function promote(item) {
  if (await confirm(t("model.confirm.promote"), t("model.confirm.text", { date: named(item), version: item.version }), t("model.promote"))) {
    await change(() => ask(`v1/models/${encodeURIComponent(item.version)}/promote`, { method: "POST" }), item);
  }
}

async function rollBack(item) {
  if (await confirm(t("model.confirm.rollback"), t("model.confirm.text", { date: named(item), version: item.version }), t("model.rollback", { date: named(item) }))) {
    await change(() => ask("page/rollback", { method: "POST" }), item);
  }
}

async function change(work, item) {
  try {
    await work();
    await refresh(t("model.done", { date: named(item) }));
  } catch (error) {
    failed(error);
  }
}

// ---- pictures and card

function pictures(found) {
  if (!found.pictures?.length && !found.report) return null;
  const figure = ({ name, title, alt, caption }) =>
    h("figure", {}, h("img", { src: `page/report/${encodeURIComponent(name)}.svg`, alt: alt ?? title, loading: "lazy", width: 640 }),
      h("figcaption", {}, caption || title));
  return h("div", {}, h("h2", {}, t("model.pictures")),
    found.report ? h("p", {}, h("a", { href: "page/report", target: "_blank", rel: "noopener" }, t("model.opens", { name: t("model.report") }))) : null,
    h("div", { class: "pictures" }, (found.pictures ?? []).map(figure)));
}

function card(parts) {
  const place = h("div", {}, h("h2", {}, t("model.card")));
  if (!parts?.length) {
    place.append(h("p", { class: "hint" }, t("model.card.none")));
    return place;
  }
  let inside = place;
  for (const part of parts) {
    if (part.level === 2) {
      inside = h("div", {});
      place.append(h("details", { class: "card", "data-title": part.title }, h("summary", {}, part.title), inside));
    } else if (part.level > 2) {
      inside.append(h("h3", {}, part.title));
    }
    inside.append(...part.blocks.map((block) => cardBlock(block, part.title)));
  }
  return place;
}

function cardBlock(block, title) {
  if (block.kind === "list") return h("ul", {}, block.items.map((item) => h("li", { dir: "auto" }, item)));
  if (block.kind === "code") return h("pre", { tabindex: "0" }, block.text);
  if (block.kind === "table") {
    const head = block.head.some((cell) => cell.trim()) ? h("thead", {}, h("tr", {}, block.head.map((cell) => (cell.trim() ? h("th", { scope: "col" }, cell) : h("td", {}))))) : null;
    const rows = block.rows.map((row) => h("tr", {}, row.map((cell) => h("td", { dir: "auto" }, cell))));
    return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("model.table", { name: title }) }, h("table", {}, head, h("tbody", {}, rows)));
  }
  return h("p", { dir: "auto" }, block.text);
}

/** Makes the view work; `confirm` is a question with yes and no, `signIn` asks for another key. */
export function init(page) {
  confirm = page.confirm;
  signIn = page.signIn;
  events.addEventListener("session", () => visible && refresh());
}
