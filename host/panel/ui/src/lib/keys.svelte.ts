// One-letter keys of the desk. They can be switched off, as people who speak to their computer need; they do nothing
// while somebody types, and nothing together with Ctrl, Alt or Meta.

import { recall, remember } from "./storage";

let on = $state(recall("keys") !== "off");
export const keysOn = (): boolean => on;
export function setKeys(value: boolean): void {
  on = value;
  remember("keys", value ? "on" : "off");
}

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Hears keys while it is mounted; gives what ends it. A handler answers whether it used the key. */
export function onKey(handlers: Record<string, () => boolean | void>): () => void {
  function pressed(event: KeyboardEvent): void {
    if (!on || event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const handler = handlers[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (handler && handler() !== false) event.preventDefault();
  }
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}
