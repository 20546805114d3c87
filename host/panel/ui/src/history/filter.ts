// What is looked for in the history, between the form, the address and the API.

import type { InteractionView } from "../lib/types";

export const NAMES = ["number", "channel", "direction", "state", "queue", "from", "until"] as const;
export type Wanted = Record<(typeof NAMES)[number], string>;

/** The begin of a day as the reader's clock has it; nothing when it is no day. */
export function dayBegins(day: string, later = 0): string | null {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (!parts) return null;
  return new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + later).toISOString();
}

/** The parameters of `GET /v1/interactions`. The last day is meant with all its hours. */
export const wanted = (filter: Wanted): Record<string, string | null> => ({
  channel: filter.channel, direction: filter.direction, state: filter.state, queue: filter.queue,
  from: dayBegins(filter.from), until: dayBegins(filter.until, 1),
});

/** Whether one of a customer's timeline fits what else is asked for. */
export function fits(one: InteractionView, filter: Wanted): boolean {
  const { from, until } = wanted(filter);
  const began = Date.parse(one.started_at);
  return (
    (!filter.channel || one.channel === filter.channel) &&
    (!filter.direction || one.direction === filter.direction) &&
    (!filter.state || one.state === filter.state) &&
    (!filter.queue || one.queue === filter.queue) &&
    (!from || began >= Date.parse(from)) &&
    (!until || began < Date.parse(until))
  );
}
