// The live stream: resumed where it broke, healed without a gap, reset when the host forgot.
import { beforeEach, expect, it, vi } from "vitest";
import { Live, type Link, type Stream } from "../src/lib/live";
import type { LiveEvent } from "../src/lib/reduce";

class Fake implements Stream {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readyState = 0;
  closed = false;
  #heard = new Map<string, (message: { data: string; lastEventId: string }) => void>();
  constructor(readonly path: string) {}
  addEventListener(kind: string, then: (message: { data: string; lastEventId: string }) => void) { this.#heard.set(kind, then); }
  close() { this.closed = true; }
  tell(kind: string, id: number, body: unknown = {}) { this.#heard.get(kind)?.({ data: JSON.stringify(body), lastEventId: String(id) }); }
  refuse() {
    this.readyState = 2;
    this.onerror?.();
  }
}

let streams: Fake[];
let events: number[];
let links: Link[];
let load: ReturnType<typeof vi.fn<() => Promise<number>>>;
let session: ReturnType<typeof vi.fn<() => Promise<unknown>>>;
let live: Live;
const last = () => streams.at(-1) as Fake;

beforeEach(() => {
  vi.useFakeTimers();
  [streams, events, links] = [[], [], []];
  load = vi.fn(async () => 10);
  session = vi.fn(async () => ({}));
  live = new Live({
    load, session,
    event: (event: LiveEvent) => events.push(event.id),
    link: (word) => links.push(word),
    open(path) {
      streams.push(new Fake(path));
      return last();
    },
  });
});

it("follows after what was loaded", async () => {
  await live.start();
  expect(last().path).toBe("/v1/live?after=10");
  last().onopen?.();
  last().tell("call", 11);
  expect([events, links]).toEqual([[11], ["live"]]);
});

it("goes on after the last event when the stream was refused, and loads nothing again", async () => {
  await live.start();
  last().tell("call", 11);
  last().tell("card", 12);
  last().refuse();
  expect(links.at(-1)).toBe("reconnecting");
  await vi.advanceTimersByTimeAsync(600);
  expect(last().path).toBe("/v1/live?after=12");
  expect(load).toHaveBeenCalledTimes(1);
});

it("says that it reconnects while the browser does it by itself", async () => {
  await live.start();
  last().onerror?.();
  expect([links, streams.length]).toEqual([["reconnecting"], 1]);
});

it("waits longer each time, and tries quickly again once it was connected", async () => {
  session = session.mockRejectedValue({ code: "network", status: 0 });
  await live.start();
  last().refuse();
  await vi.advanceTimersByTimeAsync(500 + 1000 + 2000 + 10);
  expect(session).toHaveBeenCalledTimes(3);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(session.mock.calls.length).toBeLessThan(10);
  session.mockResolvedValue({});
  await vi.advanceTimersByTimeAsync(15_000);
  expect(streams).toHaveLength(2);
  last().onopen?.();
  last().refuse();
  await vi.advanceTimersByTimeAsync(510);
  expect(streams).toHaveLength(3);
});

it("loads again on a reset, and tells afterwards what came meanwhile", async () => {
  await live.start();
  let loaded = (_: number) => {};
  load.mockImplementationOnce(() => new Promise((done) => { loaded = done; }));
  last().tell("reset", 0);
  last().tell("call", 31);
  expect(events).toEqual([]);
  loaded(30);
  await vi.advanceTimersByTimeAsync(1);
  expect(events).toEqual([31]);
  last().refuse();
  await vi.advanceTimersByTimeAsync(600);
  expect(last().path).toBe("/v1/live?after=31");
});

it("begins anew when the load after a reset fails", async () => {
  await live.start();
  load.mockRejectedValueOnce({ code: "store-failed", status: 503 });
  last().tell("reset", 0);
  await vi.advanceTimersByTimeAsync(600);
  expect(load).toHaveBeenCalledTimes(3);
  expect(streams).toHaveLength(2);
});

it("is locked, and stays so, when the session is over", async () => {
  await live.start();
  session.mockRejectedValueOnce({ code: "unauthorized", status: 401 });
  last().refuse();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(links.at(-1)).toBe("locked");
  expect(session).toHaveBeenCalledTimes(1);
});

it("hears nothing from a stream that it left", async () => {
  await live.start();
  const old = last();
  old.refuse();
  await vi.advanceTimersByTimeAsync(600);
  old.tell("call", 40);
  old.onerror?.();
  expect(events).toEqual([]);
  expect(streams).toHaveLength(2);
});
