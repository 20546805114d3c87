// The parts of the public API that the page uses, as `/openapi.json` describes them.

export interface NumberView { e164: string; national: string }

export interface CallView {
  interaction: string; source: string; call_id: string; state: string;
  from: NumberView | null; to: NumberView | null; queue: string | null; agent: string | null; cause: string | null;
  ringing_at: string; answered_at: string | null; ended_at: string | null; asked: string[];
}

export interface ConversationView {
  interaction: string; source: string; channel: string; state: string; number: NumberView | null;
  queue: string | null; agent: string | null; cause: string | null; started_at: string;
  last_message_at: string | null; ended_at: string | null; messages_in: number; messages_out: number;
}

export interface DealView {
  id: string; kind: string; title: string; stage?: string | null; amount?: string | null; owner?: string | null; url?: string | null;
}

export interface CardView {
  id: string; name: string; organization?: string | null; phones: string[]; emails: string[]; owner?: string | null;
  url?: string | null; deals: DealView[]; extra: [string, string][];
}

export interface SeenView { class: string; direction: string; level: string; count: number }

export interface CardsView {
  interaction: string; plugin: string; cached: boolean; took_ms: number; requests: number; cards: CardView[];
  left_out: number; seen: SeenView[];
}

export interface CardFailure {
  interaction: string; plugin: string; reason: string; took_ms: number; retry_after_s?: number | null; detail?: string | null;
}

export type Finding =
  | { kind: "card" | "card-none"; body: CardsView }
  | { kind: "card-failed"; body: CardFailure };

export interface Recent { last_event_id: number; calls: { call: CallView; findings: Finding[] }[] }

export interface JournalView { plugin: string; step: string; result: string; at: string }

export interface InteractionView {
  interaction: string; channel: string; direction: string; state: string; source: string;
  from: NumberView | null; to: NumberView | null; queue: string | null; agent: string | null;
  started_at: string; answered_at: string | null; ended_at: string | null; cause: string | null;
  provider_cause: string | null; disposition: string | null; notes: string | null; protocol: string | null;
  transfers: number; messages_in: number; messages_out: number; journal: JournalView[]; seq: number;
}

export interface LinkView { plugin: string; kind: string; id: string; url?: string | null }
export interface ContactName { kind: string; namespace: string; value: string }

export interface InteractionDetail extends InteractionView {
  reference: string | null; contacts: ContactName[]; findings: Finding[]; links: LinkView[];
  recordings: Record<string, unknown>[]; holds: Record<string, unknown>[]; legs: Record<string, unknown>[];
}

export interface Page<T> { items: T[]; next: string | null }

export interface HistoryEvent {
  id: string; seq: number; at: string; recorded_at: string; actor: string;
  cause: { kind: string; id: string }; what: { event: string } & Record<string, unknown>;
}

export interface MessageView {
  id: string; interaction: string; direction: string; at: string; text: string | null; attachments: string[];
  status: string; agent: string | null;
}

export interface DeliveryView {
  id: string; target: string; interaction: string | null; step: string; state: string; tries: number; at: string;
  tried_at: string | null; settled_at: string | null; failure: { code: string; text: string } | null; record_url: string | null;
}

export interface BacklogView {
  target: string; open: number; oldest: string | null; dead: number;
  paused: { code: string; text: string } | null; paused_since: string | null;
}

export interface ChannelView {
  channel: string; kind: string; active: boolean; health: string; silent_since: string | null;
  first_event_at: string | null; last_event_at: string | null; lines: string[]; last_30_days: Record<string, number>;
  collects: { data: string; kept_in: string; kept_for: string }[];
}

export interface PluginView { plugin: string; state: string; version: string | null; digest: string | null; grant_revision: number | null }

export interface CredentialView {
  plugin: string; credential: string; state: string; detail: string; waits_for_person: boolean; until: string | null; updated_at: string | null;
}

export interface WebhookView { id: string; origin: string; target: string; events: string[]; include_personal: boolean }

export interface QueueView {
  name: string; waiting: { call: string; position: number; since: string }[];
  members: { agent: string; state: string; paused: boolean; in_call: boolean }[];
}
export interface ExchangeQueues { channel: string; link: string; since: string; queues: QueueView[] }

export interface SessionView { tenant: string; practice: boolean }

export interface DialRequest { plugin: string; request: string; agent: string; number: string; national: string }
