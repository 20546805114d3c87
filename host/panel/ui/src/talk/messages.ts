// The messages of a conversation, kept up to date by events.

import type { MessageView } from "../lib/types";

// How far a message came; a status that is told late takes nothing back.
const FAR = ["queued", "sent", "delivered", "read"];
const far = (message: MessageView): number => FAR.indexOf(message.status);

/** With this message: in its place if it is new, else as far as it came. */
export function merged(messages: readonly MessageView[], message: MessageView): MessageView[] {
  const known = messages.findIndex((one) => one.id === message.id);
  if (known >= 0) {
    const before = messages[known];
    if (before && far(message) >= 0 && far(message) < far(before)) return [...messages];
    return messages.map((one, index) => (index === known ? message : one));
  }
  const after = messages.findIndex((one) => one.at > message.at);
  return after < 0 ? [...messages, message] : messages.toSpliced(after, 0, message);
}

/** For how long after the customer wrote a company may write freely: WhatsApp's rule. */
export const WINDOW_MS = 24 * 60 * 60 * 1000;

/** What is left of the customer's window in milliseconds; `null` where a channel has none. */
export function windowLeft(channel: string, heard: string | null, now: number): number | null {
  if (channel !== "whatsapp") return null;
  return heard ? Math.max(0, Date.parse(heard) + WINDOW_MS - now) : 0;
}
