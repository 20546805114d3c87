// What the page knows of calls and conversations, from the list that it loaded and the events after it.
//
// An event may come twice (after a broken stream), late (while the list was loaded) or before what it is about (a card
// before its call). Each part remembers the id of the event that wrote it, and nothing older writes over it: the order
// in which events arrive does not matter.

import type { CallView, ConversationView, Finding, MessageView, Recent } from "./types";

export interface LiveEvent {
  id: number;
  kind: string;
  body: unknown;
}

export interface Entry {
  readonly interaction: string;
  readonly call: CallView | null;
  readonly conversation: ConversationView | null;
  /** The last message that was told of. */
  readonly message: MessageView | null;
  /** By plugin. */
  readonly findings: Readonly<Record<string, Finding>>;
  /** Which event wrote what. */
  readonly written: Readonly<Record<string, number>>;
}

export interface State {
  /** Everything up to this event is in the list that was loaded. */
  readonly floor: number;
  /** The last event that came: the stream goes on after it. */
  readonly told: number;
  readonly entries: ReadonlyMap<string, Entry>;
}

export const NOTHING: State = { floor: 0, told: 0, entries: new Map() };
/** Ended calls beyond this many are let go, the oldest first. */
const MOST_ENDED = 50;

const blank = (interaction: string): Entry => ({
  interaction, call: null, conversation: null, message: null, findings: {}, written: {},
});

/** The list is the truth: what is not in it is gone, as after another database was put in. */
export function fromList(recent: Recent, conversations: ConversationView[]): State {
  const entries = new Map<string, Entry>();
  for (const { call, findings } of recent.calls) {
    const found = Object.fromEntries(findings.map((finding) => [finding.body.plugin, finding]));
    entries.set(call.interaction, { ...blank(call.interaction), call, findings: found });
  }
  for (const conversation of conversations) {
    entries.set(conversation.interaction, { ...blank(conversation.interaction), conversation });
  }
  return { floor: recent.last_event_id, told: recent.last_event_id, entries };
}

export function apply(state: State, event: LiveEvent): State {
  if (event.id <= state.floor) return state;
  const told = Math.max(state.told, event.id);
  const body = event.body as { interaction?: string } | null;
  if (!body?.interaction) return { ...state, told };
  const before = state.entries.get(body.interaction) ?? blank(body.interaction);
  const after = write(before, event);
  if (after === before) return { ...state, told };
  const entries = new Map(state.entries);
  entries.set(after.interaction, after);
  return { ...state, told, entries: trimmed(entries) };
}

function write(entry: Entry, event: LiveEvent): Entry {
  const put = (part: string, change: Partial<Entry>): Entry =>
    (entry.written[part] ?? 0) >= event.id
      ? entry
      : { ...entry, ...change, written: { ...entry.written, [part]: event.id } };
  switch (event.kind) {
    case "call":
      return put("call", { call: event.body as CallView });
    case "conversation":
      return put("conversation", { conversation: event.body as ConversationView });
    case "message":
      return put("message", { message: event.body as MessageView });
    case "card":
    case "card-none":
    case "card-failed": {
      const finding = { kind: event.kind, body: event.body } as Finding;
      const plugin = finding.body.plugin;
      return put(`finding ${plugin}`, { findings: { ...entry.findings, [plugin]: finding } });
    }
    default:
      return entry;
  }
}

const ended = (entry: Entry): string | null => entry.call?.ended_at ?? entry.conversation?.ended_at ?? null;

function trimmed(entries: Map<string, Entry>): Map<string, Entry> {
  const over = [...entries.values()].filter((entry) => ended(entry) !== null);
  if (over.length <= MOST_ENDED) return entries;
  over.sort((a, b) => (ended(a) ?? "").localeCompare(ended(b) ?? ""));
  for (const entry of over.slice(0, over.length - MOST_ENDED)) entries.delete(entry.interaction);
  return entries;
}

// === the list of the desk ===

export type Group = "ringing" | "talking" | "talks" | "over";
export const GROUPS: readonly Group[] = ["ringing", "talking", "talks", "over"];

export function groupOf(entry: Entry): Group | null {
  if (entry.call) {
    if (entry.call.state === "ringing") return "ringing";
    return entry.call.state === "ended" ? "over" : "talking";
  }
  if (entry.conversation) return entry.conversation.state === "ended" ? "over" : "talks";
  return null;
}

/** When something last happened, for the order of the list. */
export const touched = (entry: Entry): string =>
  ended(entry) ?? entry.conversation?.last_message_at ?? entry.conversation?.started_at ?? entry.call?.ringing_at ?? "";

export function grouped(state: State): Record<Group, Entry[]> {
  const groups: Record<Group, Entry[]> = { ringing: [], talking: [], talks: [], over: [] };
  for (const entry of state.entries.values()) {
    const group = groupOf(entry);
    if (group) groups[group].push(entry);
  }
  for (const group of GROUPS) groups[group].sort((a, b) => touched(b).localeCompare(touched(a)));
  return groups;
}

/** The name that a CRM knows, when exactly one contact was found by the first plugin that found any. */
export function nameOf(entry: Entry): string | null {
  for (const finding of Object.values(entry.findings)) {
    if (finding.kind !== "card" || finding.body.cards.length === 0) continue;
    return finding.body.cards.length === 1 ? (finding.body.cards[0]?.name ?? null) : null;
  }
  return null;
}

export const numberOf = (entry: Entry): string | null =>
  entry.call ? (entry.call.from?.national ?? null) : (entry.conversation?.number?.national ?? null);
