// The connection to the host: the list first, then every event after it, for as long as the page is open.
//
// A broken stream goes on after the last event that came, with nothing lost and nothing told twice; the list is loaded
// again only when the host says (`reset`) that it no longer has all that happened since.

import { problemOf } from "./api";
import type { LiveEvent } from "./reduce";

export const KINDS = [
  "call", "card", "card-none", "card-failed", "conversation", "message", "channel.silent", "channel.heard",
  "dial.requested", "contact.changed", "contact.deleted", "record.deleted",
] as const;

export type Link = "connecting" | "live" | "reconnecting" | "locked";

/** What the stream needs of a browser; tests bring their own. */
export interface Stream {
  onopen: (() => void) | null;
  onerror: (() => void) | null;
  readonly readyState: number;
  addEventListener(kind: string, then: (message: { data: string; lastEventId: string }) => void): void;
  close(): void;
}

export interface Wiring {
  /** Loads everything; gives the id of the last event that is in it. */
  load(): Promise<number>;
  /** Fails when the session is over: a refused stream does not say why. */
  session(): Promise<unknown>;
  event(event: LiveEvent): void;
  link(link: Link): void;
  open(path: string): Stream;
}

const FIRST_WAIT = 500;
const SLOWEST = 15_000;
const CLOSED = 2;

export class Live {
  #stream: Stream | null = null;
  #told = 0;
  #loaded = false;
  #wait = FIRST_WAIT;
  #timer: ReturnType<typeof setTimeout> | undefined;
  // Events that come while the list is loaded afresh; null when it is not.
  #held: LiveEvent[] | null = null;

  constructor(private readonly wiring: Wiring) {}

  /** Begins, or begins again at once: when the network is back or somebody logged in. */
  async start(): Promise<void> {
    clearTimeout(this.#timer);
    const ready = this.#loaded ? this.#ask(() => this.wiring.session()) : this.#load();
    if (await ready) this.#open();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stream?.close();
    this.#stream = null;
    this.#loaded = false;
    this.#held = null;
  }

  #load(): Promise<boolean> {
    return this.#ask(async () => {
      this.#told = await this.wiring.load();
      this.#loaded = true;
    });
  }

  async #ask(question: () => Promise<unknown>): Promise<boolean> {
    try {
      await question();
      return true;
    } catch (met) {
      if (problemOf(met).status === 401) {
        this.stop();
        this.wiring.link("locked");
      } else this.#later();
      return false;
    }
  }

  #open(): void {
    this.#stream?.close();
    const stream = this.wiring.open(`/v1/live?after=${this.#told}`);
    this.#stream = stream;
    stream.onopen = () => {
      this.#wait = FIRST_WAIT;
      if (stream === this.#stream) this.wiring.link("live");
    };
    stream.onerror = () => {
      if (stream !== this.#stream) return;
      // The browser comes back by itself, with the last id, unless the host refused the stream.
      if (stream.readyState === CLOSED) this.#later();
      else this.wiring.link("reconnecting");
    };
    for (const kind of KINDS) {
      stream.addEventListener(kind, ({ data, lastEventId }) => {
        if (stream === this.#stream) this.#take({ id: Number(lastEventId), kind, body: JSON.parse(data) });
      });
    }
    stream.addEventListener("reset", () => {
      if (stream === this.#stream) void this.#afresh();
    });
  }

  #take(event: LiveEvent): void {
    if (this.#held) {
      this.#held.push(event);
      return;
    }
    this.#told = Math.max(this.#told, event.id);
    this.wiring.event(event);
  }

  async #afresh(): Promise<void> {
    this.#held ??= [];
    this.#loaded = false;
    if (!(await this.#load())) return;
    const held = this.#held ?? [];
    this.#held = null;
    for (const event of held) this.#take(event);
  }

  #later(): void {
    this.#stream?.close();
    this.#stream = null;
    this.#held = null;
    this.wiring.link("reconnecting");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.start(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, SLOWEST);
  }
}
