// What any request may meet, dealt with in one place.
import { Away, Problem } from "./api.js";
import { notice } from "./dom.js";
import { count } from "./texts.js";

/**
 * Deals with a service that is away, a key that is needed and a limit that was reached: true if that was it. What is left
 * is a problem with what was sent; any other error is a fault of this page and is thrown.
 */
export function dealtWith(error, place, asking = null) {
  if (error instanceof Away) return true;
  if (!(error instanceof Problem)) throw error;
  if (error.status === 401) return true;
  if (error.status !== 429 || !asking) return false;
  const seconds = Math.max(1, error.seconds);
  notice(place, count("limited", seconds));
  asking.again(1000 * seconds);
  return true;
}
