// The one store of the page: who is logged in, the connection, what rings and talks.

import { get, whenLocked } from "./api";
import { Live, type Link, type Stream } from "./live";
import { apply, fromList, nameOf, NOTHING, numberOf, type LiveEvent, type State } from "./reduce";
import type {
  ChannelView, ConversationView, DialRequest, InteractionView, MessageView, Page, Recent, SessionView,
} from "./types";
import { t } from "./words.svelte";

let state = $state.raw<State>(NOTHING);
let link = $state<Link>("connecting");
let session = $state.raw<SessionView | null>(null);
let announcement = $state("");
let requests = $state.raw<DialRequest[]>([]);
let exchanges = $state.raw<string[]>([]);
let silent = $state.raw<ReadonlySet<string>>(new Set());

export const desk = {
  get state() { return state; },
  get link() { return link; },
  get session() { return session; },
  get announcement() { return announcement; },
  /** Calls that a CRM asked for and nobody made or put away. */
  get requests() { return requests; },
  /** Channels of exchanges over which calls can be made and controlled. */
  get exchanges() { return exchanges; },
  get silent() { return silent; },
};

/** What is new, for a screen reader: a timer or a whole card read aloud would drown it. */
export function announce(text: string): void {
  announcement = text;
}

export function putAway(request: string): void {
  requests = requests.filter((one) => one.request !== request);
}

type Listener = (event: LiveEvent) => void;
const listeners = new Set<Listener>();
/** Hears every event, and `reset` when the list was loaded again; gives what ends it. */
export function listen(then: Listener): () => void {
  listeners.add(then);
  return () => listeners.delete(then);
}
const tell = (event: LiveEvent) => listeners.forEach((then) => then(event));

/** An open conversation of the list, in the form of the live event. */
const asConversation = (of: InteractionView): ConversationView => ({
  interaction: of.interaction, source: of.source, channel: of.channel, state: of.state,
  number: of.direction === "outbound" ? of.to : of.from, queue: of.queue, agent: of.agent, cause: of.cause,
  started_at: of.started_at, last_message_at: null, ended_at: of.ended_at, messages_in: of.messages_in, messages_out: of.messages_out,
});

async function load(): Promise<number> {
  session = await get<SessionView>("/v1/session");
  const recent = await get<Recent>("/v1/calls");
  const [open, channels] = await Promise.all([
    get<Page<InteractionView>>("/v1/interactions?state=open&limit=100"),
    get<{ items: ChannelView[] }>("/v1/channels"),
  ]);
  state = fromList(recent, open.items.map(asConversation));
  exchanges = channels.items.filter((one) => one.active && one.kind === "asterisk").map((one) => one.channel);
  silent = new Set(channels.items.filter((one) => one.silent_since).map((one) => one.channel));
  tell({ id: recent.last_event_id, kind: "reset", body: null });
  return recent.last_event_id;
}

function take(event: LiveEvent): void {
  const body = event.body as { interaction?: string } & Record<string, unknown>;
  const known = body.interaction ? state.entries.get(body.interaction) : undefined;
  state = apply(state, event);
  const now = body.interaction ? state.entries.get(body.interaction) : undefined;
  if (event.kind === "call" && !known?.call && now) announce(t("new-call", { who: numberOf(now) ?? t("withheld") }));
  if (event.kind === "card" && now) {
    announce(t("found", { plugin: String(body["plugin"]), name: nameOf(now) ?? t("several-short") }));
  }
  if (event.kind === "message" && (event.body as MessageView).direction === "inbound") {
    announce(t("new-message", { who: (now && numberOf(now)) ?? t("withheld") }));
  }
  if (event.kind === "dial.requested") requests = [...requests, event.body as DialRequest].slice(-5);
  if (event.kind === "channel.silent" || event.kind === "channel.heard") {
    const changed = new Set(silent);
    if (event.kind === "channel.silent") changed.add(String(body["channel"]));
    else changed.delete(String(body["channel"]));
    silent = changed;
  }
  tell(event);
}

const live = new Live({
  load,
  session: () => get("/v1/session"),
  event: take,
  link(word) {
    link = word;
  },
  open: (path) => new EventSource(path) as unknown as Stream,
});

whenLocked(() => {
  live.stop();
  state = NOTHING;
  session = null;
  link = "locked";
});

addEventListener("online", () => {
  if (link === "reconnecting") void live.start();
});

export const start = (): Promise<void> => live.start();
