// Times, spans and numbers as people in the chosen language write them.

import { language } from "./words.svelte";

const made = new Map<string, Intl.DateTimeFormat>();
function format(options: Intl.DateTimeFormatOptions, iso: string): string {
  const key = language() + JSON.stringify(options);
  let known = made.get(key);
  if (!known) made.set(key, (known = new Intl.DateTimeFormat(language(), options)));
  return known.format(new Date(iso));
}

export const clock = (iso: string): string => format({ hour: "2-digit", minute: "2-digit", second: "2-digit" }, iso);

export const moment = (iso: string): string =>
  format({ day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }, iso);

export const exactly = (iso: string): string =>
  format({ dateStyle: "medium", timeStyle: "medium" }, iso);

export const number = (value: number): string => new Intl.NumberFormat(language()).format(value);

export const milliseconds = (ms: number): string =>
  ms < 1000
    ? `${number(ms)} ms`
    : `${new Intl.NumberFormat(language(), { maximumFractionDigits: 1 }).format(ms / 1000)} s`;

/** An amount as the host tells it, `BRL 10350.00`, in the reader's way; anything else as it is. */
export function money(amount: string): string {
  const parts = /^([A-Z]{3}) (-?\d+(?:\.\d+)?)$/.exec(amount);
  if (!parts?.[1]) return amount;
  return new Intl.NumberFormat(language(), { style: "currency", currency: parts[1] }).format(Number(parts[2]));
}

/** `1:02:03` or `02:03`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** A web address that may become a link; a plugin's answer can hold anything. */
export const webAddress = (url: string | null | undefined): string | null =>
  url && /^https?:\/\//i.test(url) ? url : null;
