// One event of a history in a sentence.

import type { HistoryEvent } from "../lib/types";
import { named, t } from "../lib/words.svelte";

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** The kind of an event without its version: `answered.1` is `answered`. */
export const kindOf = (event: HistoryEvent): string => event.what.event.replace(/\.\d+$/, "");

export function said(event: HistoryEvent): string {
  const { what } = event;
  const kind = kindOf(event);
  const message = (what["message"] ?? {}) as Record<string, unknown>;
  switch (kind) {
    case "started":
      return t("event-started", { channel: named("channel", text(what["channel"])), way: named("way", text(what["direction"])) });
    case "answered":
      return what["agent"] ? t("event-answered-by", { agent: text(what["agent"]) }) : t("event-answered");
    case "ended":
      return t("event-ended", { cause: named("cause", text(what["cause"])) });
    case "transferred":
      return t("event-transferred", { to: text(what["agent"]) || text(what["queue"]) || "–" });
    case "queue-changed":
      return t("event-queue-changed", { queue: text(what["queue"]) || "–" });
    case "disposition-set":
      return what["disposition"] ? t("event-disposition-set", { disposition: text(what["disposition"]) }) : t("event-disposition-gone");
    case "note-set":
      return what["notes"] ? t("event-note-set") : t("event-note-gone");
    case "message-added":
      return message["direction"] === "inbound" ? t("event-message-in") : t("event-message-out");
    case "message-status":
      return t("event-message-status", { status: named("status", text(what["status"])) });
    case "protocol-given":
      return t("event-protocol-given", { protocol: text(what["protocol"]) });
    case "crm-linked":
      return t("event-crm-linked", { plugin: text(what["plugin"]), record: named("record", text(what["kind"])), id: text(what["id"]) });
    case "journaled":
      return t("event-journaled", {
        plugin: text(what["plugin"]), step: named("step", text(what["step"]).split(":")[0] ?? ""), result: named("journal", text(what["result"])),
      });
    default:
      return named("event", kind);
  }
}
