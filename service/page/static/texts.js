// The interface's words, from the catalogue that the page carries, and numbers and dates as its language writes them.

const catalogue = JSON.parse(document.getElementById("texts").textContent);
const page = document.documentElement.lang || "en";
// The reader's own way to write numbers and dates, where it is of the page's language.
const language = navigator.languages.find((own) => own.split("-")[0] === page.split("-")[0]) ?? page;
const plurals = new Intl.PluralRules(page);
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const percents = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
const lists = new Intl.ListFormat(language);
const dates = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" });

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));

/** The text of a key, its {placeholders} filled. */
export function t(key, values = {}) {
  return fill(catalogue[key] ?? key, values);
}

/** Whether the catalogue has a key. */
export const knows = (key) => Object.hasOwn(catalogue, key);

/** The text of a key for `n` things; {n} is the number. */
export function count(key, n, values = {}) {
  const forms = catalogue[key] ?? {};
  return fill(forms[plurals.select(n)] ?? forms.other ?? key, { n: whole.format(n), ...values });
}

/** A share of 1 in percent; what would be rounded to nothing or everything is said to be under or over. */
export function percent(share) {
  if (share > 0 && share < 0.005) return t("share.under", { n: percents.format(0.01) });
  if (share < 1 && share > 0.995) return t("share.over", { n: percents.format(0.99) });
  return percents.format(share);
}

/** A number with so many decimals. */
export const decimal = (value, digits) =>
  new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

/** Names as a list in words. */
export const list = (names) => lists.format(names);

/** A moment, in the reader's own zone. */
export const date = (iso) => dates.format(new Date(iso));
