// The words in the reader's language. Both files hold the same keys: a test compares them.

const LANGUAGES = ["en", "pt-BR"];
const loaded = new Map();
let current = "en";

const remembered = (key) => {
  try { return localStorage.getItem(key); } catch { return null; }
};
export const remember = (key, value) => {
  try { localStorage.setItem(key, value); } catch { /* private windows may refuse: then it lasts for this visit */ }
};
export const recall = remembered;

/** The language to begin with: the one chosen before, or the browser's. */
export function firstLanguage() {
  const wanted = [remembered("ramal.language"), ...(navigator.languages ?? [navigator.language])].filter(Boolean);
  for (const tag of wanted) {
    const found = LANGUAGES.find((l) => l.toLowerCase().split("-")[0] === tag.toLowerCase().split("-")[0]);
    if (found) return found;
  }
  return "en";
}

/** Loads a language and puts its words into the page. */
export async function speak(language) {
  if (!loaded.has(language)) {
    const answer = await fetch(`/panel/words.${language}.json`);
    loaded.set(language, await answer.json());
  }
  current = language;
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-t-placeholder]")) node.placeholder = t(node.dataset.tPlaceholder);
}

export const language = () => current;

/** The words for a key, with what stands in braces filled in. */
export function t(key, values = {}) {
  const text = loaded.get(current)?.[key] ?? loaded.get("en")?.[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** The words for a key that is put together from data, or the data itself when there are none. */
export function named(family, word) {
  const key = `${family}.${word}`;
  const text = t(key);
  return text === key ? word : text;
}

export const milliseconds = (ms) =>
  ms < 1000
    ? `${new Intl.NumberFormat(current).format(ms)} ms`
    : `${new Intl.NumberFormat(current, { maximumFractionDigits: 1 }).format(ms / 1000)} s`;

export const clock = (iso) =>
  new Intl.DateTimeFormat(current, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(iso));

export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}
