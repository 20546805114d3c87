// The reducer: live events in any order make the same desk.
import { describe, expect, it } from "vitest";
import { apply, fromList, grouped, nameOf, NOTHING, type LiveEvent, type State } from "../src/lib/reduce";
import type { CallView, CardsView } from "../src/lib/types";

const call = (interaction: string, state: string, more: Partial<CallView> = {}): CallView => ({
  interaction, source: "pbx", call_id: interaction, state, from: null, to: null, queue: null, agent: null, cause: null,
  ringing_at: "2026-12-01T12:00:00Z", answered_at: null, ended_at: state === "ended" ? "2026-12-01T12:05:00Z" : null, asked: ["crm"], ...more,
});
const card = (interaction: string, ...names: string[]): CardsView => ({
  interaction, plugin: "crm", cached: false, took_ms: 3, requests: 1, left_out: 0, seen: [],
  cards: names.map((name) => ({ id: name, name, phones: [], emails: [], deals: [], extra: [] })),
});
const event = (id: number, kind: string, body: unknown): LiveEvent => ({ id, kind, body });
const all = (events: LiveEvent[], from: State = NOTHING) => events.reduce(apply, from);

function orders<T>(of: T[]): T[][] {
  return of.length < 2 ? [of] : of.flatMap((one, at) => orders(of.toSpliced(at, 1)).map((rest) => [one, ...rest]));
}

describe("events in any order", () => {
  const story = [
    event(1, "call", call("a", "ringing")),
    event(2, "card", card("a", "Maria")),
    event(3, "call", call("a", "answered")),
    event(4, "call", call("a", "ended")),
    event(5, "card-none", card("a")),
  ];
  const wanted = all(story);

  it.each(orders(story).map((order) => [order.map((one) => one.id).join(" "), order] as const))("%s ends alike", (_, order) => {
    const got = all(order);
    expect(got.entries.get("a")?.call).toEqual(wanted.entries.get("a")?.call);
    expect(got.entries.get("a")?.findings).toEqual(wanted.entries.get("a")?.findings);
    expect(got.told).toBe(5);
  });

  it("keeps a card that comes before its call, and shows nothing of it until then", () => {
    const early = all([event(2, "card", card("a", "Maria"))]);
    expect(grouped(early).ringing).toEqual([]);
    const later = apply(early, event(3, "call", call("a", "ringing")));
    expect(grouped(later).ringing.map(nameOf)).toEqual(["Maria"]);
  });

  it("takes the same event twice as once", () => {
    expect(all([...story, ...story])).toEqual(wanted);
  });
});

describe("the list", () => {
  it("is not written over by events that it already tells", () => {
    const listed = fromList({ last_event_id: 7, calls: [{ call: call("a", "ended"), findings: [] }] }, []);
    expect(apply(listed, event(6, "call", call("a", "ringing")))).toBe(listed);
    expect(apply(listed, event(8, "call", call("b", "ringing"))).entries.size).toBe(2);
  });

  it("is the truth: what is not in it is gone", () => {
    const before = all([event(1, "call", call("old", "ringing"))]);
    expect(before.entries.has("old")).toBe(true);
    expect(fromList({ last_event_id: 9, calls: [] }, []).entries.size).toBe(0);
  });

  it("remembers the last event, also one that changes nothing here", () => {
    expect(apply(NOTHING, event(12, "channel.silent", { channel: "pbx" })).told).toBe(12);
    expect(apply(NOTHING, event(13, "something.new", null)).told).toBe(13);
  });

  it("lets the oldest ended calls go, and none that goes on", () => {
    const many = Array.from({ length: 60 }, (_, n) =>
      event(n + 1, "call", call(`c${n}`, "ended", { ended_at: new Date(Date.UTC(2026, 0, 1, 0, n)).toISOString() })),
    );
    const state = all([...many, event(100, "call", call("now", "ringing"))]);
    expect(state.entries.has("c0")).toBe(false);
    expect(state.entries.has("c59")).toBe(true);
    expect(state.entries.has("now")).toBe(true);
    expect(grouped(state).over).toHaveLength(50);
  });
});

describe("the desk's list", () => {
  it("names nobody when several have the number", () => {
    const state = all([event(1, "call", call("a", "ringing")), event(2, "card", card("a", "Maria", "José"))]);
    expect(grouped(state).ringing.map(nameOf)).toEqual([null]);
  });

  it("puts what rings first, then what talks, then conversations, then what is over", () => {
    const talk = { interaction: "w", source: "wa", channel: "whatsapp", state: "open", number: null, queue: null, agent: null, cause: null, started_at: "2026-12-01T12:00:00Z", last_message_at: null, ended_at: null, messages_in: 1, messages_out: 0 };
    const state = all([
      event(1, "call", call("a", "ringing")), event(2, "call", call("b", "held")), event(3, "call", call("c", "ended")), event(4, "conversation", talk),
    ]);
    const groups = grouped(state);
    expect([groups.ringing, groups.talking, groups.talks, groups.over].map((group) => group.map((one) => one.interaction))).toEqual([["a"], ["b"], ["w"], ["c"]]);
  });
});
