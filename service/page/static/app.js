// The page: its views and their addresses, signing in, files that are dropped, a service that is away.
import { Away, Problem, admitted, events, lost, refresh, session, signIn, signOut } from "./api.js";
import { $, fault, h, show, speak } from "./dom.js";
import { t } from "./texts.js";

const VIEWS = ["article", "ranking", "headlines", "model"];
// A view comes when it is first shown.
const MODULES = {
  article: () => import("./article.js"),
  ranking: () => import("./ranking.js"),
  headlines: () => import("./headlines.js"),
  model: () => import("./model.js"),
};
const views = {};
const home = new URL(".", location.href);

// ---- views

const current = () => VIEWS.find((name) => name === location.pathname.split("/").pop()) ?? "article";

/** Shows a view; `focus` moves there, as a new page would. */
function showView(name, focus = true) {
  for (const view of VIEWS) show($(view), view === name);
  for (const link of document.querySelectorAll("nav [data-go]")) {
    if (link.dataset.go === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.body.dataset.view = name;
  document.title = t("title." + name);
  loaded(name);
  for (const view of VIEWS) views[view]?.then((module) => module?.shown?.(view === current()));
  if (focus) {
    window.scrollTo(0, 0);
    $(`${name}-title`).focus();
  }
}

/** A view that works; nothing while the service is away, which the page then comes back to. */
function loaded(name) {
  views[name] ??= MODULES[name]().then(
    (module) => {
      module.init({ go, confirm, rank, signIn: () => askForKey(t("sign-in.other")) });
      return module;
    },
    () => {
      lost();
      events.addEventListener("back", () => location.reload(), { once: true });
      return null;
    },
  );
  return views[name];
}

/** Goes to a view: another address, and a step for the back button. */
function go(name) {
  if (name !== current()) history.pushState(null, "", new URL(name === "article" ? "./" : name, home));
  showView(name);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-go]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(link.dataset.go);
});
window.addEventListener("popstate", () => showView(current()));

// ---- signing in

const asking = $("sign-in");

/** Shows the form; to somebody who is typing it is shown without taking the keys away. */
function askForKey(why) {
  const place = document.activeElement;
  const typing = session.known && place?.matches("textarea, main input");
  $("sign-in-why").textContent = why;
  show($("sign-in-cancel"), admitted());
  if (asking.open) return;
  if (!typing) {
    asking.showModal();
    $("key").focus();
    return;
  }
  asking.show();
  place.focus({ preventScroll: true });
  speak(why, 0);
}

asking.addEventListener("cancel", (event) => {
  if (!admitted()) event.preventDefault();
});
$("sign-in-cancel").addEventListener("click", () => asking.close());
$("sign-in-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  fault("key", "");
  try {
    await signIn($("key").value.trim());
    $("key").value = "";
    asking.close();
  } catch (error) {
    if (error instanceof Away) fault("key", t("lost"));
    else if (error instanceof Problem) fault("key", error.message);
    else throw error;
    $("key").select();
  }
});

function showWho() {
  const button = (text, onclick) => h("button", { type: "button", class: "text", onclick }, text);
  const parts = session.key === null
    ? [button(t("sign-in"), () => askForKey(session.open ? t("sign-in.other") : t("sign-in.needed")))]
    : [t("who", { name: session.key, role: session.role }), " ", button(t("sign-out"), leave)];
  $("who").replaceChildren(...parts);
}

let expired = false; // until somebody signs in: several answers may say so at once

events.addEventListener("session", () => {
  showWho();
  if (session.key !== null) expired = false;
  if (!admitted()) askForKey(expired ? t("sign-in.expired") : t("sign-in.needed"));
  else if (asking.open) asking.close();
});

// The key was revoked, or this needs another one.
events.addEventListener("refused", () => {
  expired ||= session.key !== null;
  Object.assign(session, { key: null, role: null, csrf: null, known: true });
  showWho();
  askForKey(expired ? t("sign-in.expired") : session.open ? t("sign-in.admin") : t("sign-in.needed"));
});

async function leave() {
  try {
    await signOut();
  } catch (error) {
    if (!(error instanceof Away || error instanceof Problem)) throw error;
  }
}

function confirm(title, text, yes) {
  const dialog = $("confirm");
  $("confirm-title").textContent = title;
  $("confirm-text").textContent = text;
  $("confirm-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true }));
}

// ---- a service that is away

function banner(text) {
  $("banner").textContent = text;
  show($("banner"), Boolean(text));
}

events.addEventListener("lost", () => banner(t("lost")));
events.addEventListener("busy", () => banner(t("busy")));
events.addEventListener("back", () => banner(""));

// ---- files that are dropped, or chosen

let over = 0;
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

window.addEventListener("dragenter", (event) => {
  if (carriesFiles(event) && ++over) show($("drop"));
});
window.addEventListener("dragleave", (event) => {
  if (carriesFiles(event) && --over <= 0) show($("drop"), false);
});
window.addEventListener("dragover", (event) => {
  if (carriesFiles(event)) event.preventDefault();
});
window.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  over = 0;
  show($("drop"), false);
  const files = [...event.dataTransfer.files];
  const name = current() === "ranking" ? "ranking" : "article";
  if (name !== current()) go(name);
  loaded(name).then((view) => view?.take(files));
});
for (const button of document.querySelectorAll("[data-choose]")) {
  button.addEventListener("click", () => $(button.dataset.choose).click());
}

// ---- appearance

$("theme").value = document.documentElement.dataset.theme ?? "";
$("theme").addEventListener("change", ({ target: { value } }) => {
  if (value) document.documentElement.dataset.theme = value;
  else delete document.documentElement.dataset.theme;
  try {
    localStorage.setItem("newsdesk.theme", value);
  } catch {
    // it then lasts as long as the page
  }
});

// ---- beginning

async function rank(articles) {
  go("ranking");
  (await loaded("ranking"))?.add(articles);
}

events.addEventListener("served", ({ detail }) => {
  $("served").textContent = t("footer.served", detail);
});
showView(current(), false);
refresh().catch((error) => {
  if (!(error instanceof Away)) throw error;
});
