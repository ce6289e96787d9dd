// Requests to the service that this page came from, and to nobody else: session, problems, and a service that is away.

// Relative to this file, so that the page also works where a proxy puts it under a path.
const base = new URL("../../", import.meta.url);
const LONGEST_MS = 60_000;
const WAITS_MS = [500, 1000, 2000, 4000, 8000, 15_000];

/** What a request was refused with (RFC 9457). */
export class Problem extends Error {
  constructor(status, problem, seconds) {
    super(problem.detail || problem.title || String(status));
    this.status = status;
    this.kind = (problem.type ?? "").split("/").pop();
    this.field = problem.field ?? null;
    this.line = problem.line ?? null;
    this.seconds = seconds;
  }
}

/** There was no answer, or only one that says to come back later; it has been noted, and "back" will follow. */
export class Away extends Error {}

/** "session": another session; "refused": a key is needed, or another one; "served": {model, version} answered; "lost", "busy", "back": the connection. */
export const events = new EventTarget();

/** What is known of who is asking. */
export const session = { known: false, open: false, key: null, role: null, csrf: null };

const tell = (name, detail = null) => events.dispatchEvent(new CustomEvent(name, { detail }));

/** An answer's JSON, or with `as` its blob; a body is JSON unless `type` says what it is. */
export async function ask(path, { method = "GET", body, type, signal, as = "json" } = {}, again = true) {
  const headers = {};
  if (session.csrf && method !== "GET") headers["X-Newsdesk-CSRF"] = session.csrf;
  if (body !== undefined) headers["Content-Type"] = type ?? "application/json";
  const late = AbortSignal.timeout(LONGEST_MS);
  let answer, content;
  try {
    answer = await fetch(new URL(path, base), {
      method, headers, body: body === undefined || type ? body : JSON.stringify(body),
      credentials: "same-origin", cache: "no-store", redirect: "error", signal: signal ? AbortSignal.any([signal, late]) : late,
    });
    if (answer.ok) return as === "json" ? served(await answer.json()) : await answer.blob();
    content = await answer.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    lost("lost");
    throw new Away();
  }
  if (answer.status === 403 && method !== "GET" && again && !path.startsWith("page/session")) {
    // Another tab may have signed in with another key, which this one then sends with the token of the old one.
    const token = session.csrf;
    await refresh();
    if (session.csrf !== token) return ask(path, { method, body, type, signal, as }, false);
  }
  throw refusal(answer, content, path);
}

/** Whoever answered is told of. */
function served(found) {
  if (found.model && found.version) tell("served", { model: found.model, version: found.version });
  return found;
}

function refusal(answer, content, path) {
  let problem;
  try {
    problem = JSON.parse(content);
  } catch {
    problem = null; // a proxy's page: it stands before a service that is away
  }
  const seconds = Number(answer.headers.get("Retry-After")) || 0;
  if ([502, 503, 504].includes(answer.status) && (problem === null || seconds)) {
    lost(problem === null ? "lost" : "busy");
    return new Away();
  }
  if (answer.status === 401 && path !== "page/session") tell("refused");
  return new Problem(answer.status, problem ?? { detail: `${answer.status} ${answer.statusText}` }, seconds);
}

let away = false;

/** Asks, at longer and longer intervals, until the service answers again. */
export async function lost(how = "lost") {
  if (away) return;
  away = true;
  tell(how);
  for (let tried = 0; ; tried++) {
    await new Promise((done) => setTimeout(done, WAITS_MS[Math.min(tried, WAITS_MS.length - 1)]));
    try {
      if ((await fetch(new URL("healthz", base), { cache: "no-store", signal: AbortSignal.timeout(5000) })).ok) break;
    } catch {
      // still away
    }
  }
  away = false;
  await refresh().catch(() => {});
  if (!away) tell("back");
}

/** Asks who we are. */
export async function refresh() {
  take(await ask("page/session"));
}

/** Signs in; the key goes into a cookie that no script can read. */
export async function signIn(key) {
  take(await ask("page/session", { method: "POST", body: { key } }));
}

export async function signOut() {
  take(await ask("page/session", { method: "DELETE" }));
}

function take(found) {
  Object.assign(session, { open: found.open, key: found.key, role: found.role, csrf: found.csrf, known: true });
  tell("session");
}

/** Whether predictions may be asked for at all. */
export const admitted = () => session.known && (session.open || session.key !== null);
