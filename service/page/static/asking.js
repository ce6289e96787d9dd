// Questions that follow each other faster than answers: one at a time, the newest wins.

/**
 * `work(subject, { signal, stale })` asks; it may do so in steps and stop between them once `stale()`. Work on a subject
 * begins `pause` ms after it was wanted and `gap` ms after the work before began, so that typing never floods the service.
 */
export class Asking {
  #work;
  #pause;
  #gap;
  #subject = null;
  #version = 0;
  #timer = 0;
  #busy = false;
  #due = 0;
  #began = -Infinity;
  #abort = null;

  constructor(work, { pause = 25, gap = 120 } = {}) {
    this.#work = work;
    this.#pause = pause;
    this.#gap = gap;
  }

  /** Asks for this, and for nothing that was wanted before. */
  want(subject, pause = this.#pause) {
    this.#subject = subject;
    this.#version++;
    this.#due = performance.now() + pause;
    if (!this.#busy) this.#schedule();
  }

  /** Asks for what was wanted last once more. */
  again(pause = 0) {
    if (this.#subject !== null) this.want(this.#subject, pause);
  }

  /** Wants nothing any more. */
  drop() {
    this.#subject = null;
    this.#version++;
    clearTimeout(this.#timer);
    this.#abort?.abort();
  }

  #schedule() {
    clearTimeout(this.#timer);
    const due = Math.max(this.#due, this.#began + this.#gap);
    this.#timer = setTimeout(() => this.#run(), Math.max(0, due - performance.now()));
  }

  async #run() {
    const version = this.#version;
    this.#busy = true;
    this.#began = performance.now();
    this.#abort = new AbortController();
    try {
      await this.#work(this.#subject, { signal: this.#abort.signal, stale: () => version !== this.#version });
    } finally {
      this.#busy = false;
      if (version !== this.#version && this.#subject !== null) this.#schedule();
    }
  }
}
