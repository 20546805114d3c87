// Pure helpers of pages: filters of the history, and messages of a conversation.
import { describe, expect, it } from "vitest";
import { dayBegins, fits, wanted, type Wanted } from "../src/history/filter";
import { merged, windowLeft } from "../src/talk/messages";
import type { InteractionView, MessageView } from "../src/lib/types";

const message = (id: string, at: string, status = "sent"): MessageView => ({
  id, interaction: "w", direction: "outbound", at, text: id, attachments: [], status, agent: null,
});

describe("messages", () => {
  const two = [message("a", "2026-12-01T10:00:00Z"), message("c", "2026-12-01T12:00:00Z")];
  it("puts a new one where its time is", () => {
    expect(merged(two, message("b", "2026-12-01T11:00:00Z")).map((one) => one.id)).toEqual(["a", "b", "c"]);
    expect(merged(two, message("d", "2026-12-01T13:00:00Z")).map((one) => one.id)).toEqual(["a", "c", "d"]);
  });
  it("takes a status as far as it came, and a late one back from nothing", () => {
    const read = merged(two, message("a", "2026-12-01T10:00:00Z", "read"));
    expect(read[0]?.status).toBe("read");
    expect(merged(read, message("a", "2026-12-01T10:00:00Z", "delivered"))[0]?.status).toBe("read");
    expect(merged(read, message("a", "2026-12-01T10:00:00Z", "failed"))[0]?.status).toBe("failed");
  });
});

describe("the customer's window", () => {
  const now = Date.parse("2026-12-01T12:00:00Z");
  it.each([
    ["whatsapp", "2026-12-01T11:00:00Z", 23 * 3_600_000],
    ["whatsapp", "2026-11-30T12:00:00Z", 0],
    ["whatsapp", null, 0],
    ["sms", "2026-11-01T12:00:00Z", null],
  ])("%s, heard %s", (channel, heard, left) => expect(windowLeft(channel, heard, now)).toBe(left));
});

describe("the filter of the history", () => {
  const none: Wanted = { number: "", channel: "", direction: "", state: "", queue: "", from: "", until: "" };
  const one = { channel: "fixed", direction: "inbound", state: "ended", queue: "sales", started_at: new Date(2026, 10, 30, 23, 30).toISOString() } as InteractionView;
  it("means the last day with all its hours", () => {
    expect(fits(one, { ...none, from: "2026-11-30", until: "2026-11-30" })).toBe(true);
    expect(fits(one, { ...none, until: "2026-11-29" })).toBe(false);
    expect(fits(one, { ...none, from: "2026-12-01" })).toBe(false);
  });
  it("asks for what is chosen only", () => {
    expect(Object.values(wanted(none)).filter(Boolean)).toEqual([]);
    expect(fits(one, { ...none, channel: "whatsapp" })).toBe(false);
    expect(fits(one, { ...none, channel: "fixed", queue: "sales" })).toBe(true);
  });
  it("takes no nonsense for a day", () => expect(dayBegins("soon")).toBeNull());
});
