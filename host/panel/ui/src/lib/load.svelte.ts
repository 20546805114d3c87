// Something that is asked of the host and may be waited for, missing or in trouble: each place shows all three.

import { problemOf, type Problem } from "./api";

export class Load<T> {
  value = $state.raw<T | null>(null);
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  #turn = 0;

  /** Asks; an answer that was overtaken by a later question is thrown away. */
  async from(question: () => Promise<T>): Promise<void> {
    const turn = ++this.#turn;
    this.busy = true;
    try {
      const value = await question();
      if (turn !== this.#turn) return;
      this.value = value;
      this.problem = null;
    } catch (met) {
      if (turn === this.#turn) this.problem = problemOf(met);
    } finally {
      if (turn === this.#turn) this.busy = false;
    }
  }

  forget(): void {
    this.#turn++;
    this.value = null;
    this.problem = null;
    this.busy = false;
  }
}

/** Something that is done once: whether it is under way, and why it did not work. */
export class Deed {
  busy = $state(false);
  problem = $state.raw<Problem | null>(null);

  async do(work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.problem = null;
    try {
      await work();
      return true;
    } catch (met) {
      this.problem = problemOf(met);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
