// Before the first paint: the appearance that was chosen last. A script of its own, as modules run too late for that.
"use strict";

{
  let chosen = "";
  try {
    chosen = localStorage.getItem("newsdesk.theme") ?? "";
  } catch {
    // storage is not allowed: the system's appearance
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
