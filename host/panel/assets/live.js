// The connection to the server: the latest calls first, then every event after them, for as long as the page is open.
// The browser itself comes back after a broken stream and sends the last id it saw; what it cannot heal (a refused
// stream, a server that is not there yet) is tried again here, ever more slowly.

const KINDS = ["call", "card", "card-none", "card-failed"];
const SLOWEST = 15_000;

export class Live {
  #source = null;
  #told = 0;
  #wait = 500;
  #timer = 0;
  // Events that come while the list is loaded afresh; null when it is not.
  #held = null;

  /** on: { state(word), calls(list), event(kind, body), session(session) } */
  constructor(on) {
    this.on = on;
  }

  async start() {
    clearTimeout(this.#timer);
    try {
      const session = await get("/v1/session");
      this.on.session(session);
      await this.#load();
    } catch (trouble) {
      if (trouble.status === 401) return this.on.state("no-access");
      return this.#again();
    }
    this.#open();
  }

  async #load() {
    const recent = await get("/v1/calls");
    this.#told = recent.last_event_id;
    this.on.calls(recent.calls);
  }

  #open() {
    this.#source?.close();
    const source = new EventSource(`/v1/live?after=${this.#told}`);
    this.#source = source;
    source.onopen = () => {
      this.#wait = 500;
      this.on.state("live");
    };
    source.onerror = () => {
      if (source !== this.#source) return;
      if (source.readyState === EventSource.CLOSED) this.#again();
      else this.on.state("reconnecting");
    };
    for (const kind of KINDS) {
      source.addEventListener(kind, (message) => {
        if (this.#held) this.#held.push([kind, message]);
        else this.#tell(kind, message);
      });
    }
    source.addEventListener("reset", () => this.#afresh());
  }

  #tell(kind, message) {
    // What the list already told must not put an older state over it.
    if (Number(message.lastEventId) > this.#told) this.on.event(kind, JSON.parse(message.data));
  }

  // The server no longer has all that happened since the last event here.
  async #afresh() {
    this.#held = [];
    try {
      await this.#load();
      const held = this.#held;
      this.#held = null;
      for (const [kind, message] of held) this.#tell(kind, message);
    } catch {
      this.#again();
    }
  }

  #again() {
    this.#source?.close();
    this.#held = null;
    this.on.state("reconnecting");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, SLOWEST);
  }
}

async function get(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (!answer.ok) throw Object.assign(new Error(path), { status: answer.status });
  return answer.json();
}

/** Sends something; on failure throws { code, detail, hint } as the server put it. */
export async function post(path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw { code: "network" };
  }
  if (!answer.ok) throw await answer.json().catch(() => ({ code: "network" }));
  return answer.json();
}
