// The words in the reader's language, from one Fluent catalogue per language with the same keys: tests compare them.

import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
import { recall, remember } from "./storage";

export const LANGUAGES = ["en", "pt-BR"] as const;
export type Language = (typeof LANGUAGES)[number];

const catalogues: Record<Language, () => Promise<{ default: string }>> = {
  en: () => import("../words/en.ftl?raw"),
  "pt-BR": () => import("../words/pt-BR.ftl?raw"),
};

let bundle = $state.raw<FluentBundle | null>(null);
let current = $state<Language>("en");

/** The language to begin with: the one chosen before, or the browser's. */
export function firstLanguage(): Language {
  const wanted = [recall("language"), ...(navigator.languages ?? [navigator.language])];
  const root = (tag: string) => tag.toLowerCase().split("-")[0];
  for (const tag of wanted) {
    const found = tag && LANGUAGES.find((known) => root(known) === root(tag));
    if (found) return found;
  }
  return "en";
}

/** Loads a language; everything on the page follows, nothing is loaded again. */
export async function speak(language: Language): Promise<void> {
  const source = (await catalogues[language]()).default;
  const loaded = new FluentBundle(language, { useIsolating: false });
  loaded.addResource(new FluentResource(source));
  bundle = loaded;
  current = language;
  document.documentElement.lang = language;
}

export async function choose(language: Language): Promise<void> {
  await speak(language);
  remember("language", language);
}

export const language = (): Language => current;

function words(key: string, values?: Record<string, FluentVariable>): string | null {
  const pattern = bundle?.getMessage(key)?.value;
  return pattern && bundle ? bundle.formatPattern(pattern, values, []) : null;
}

/** The words for a key. */
export const t = (key: string, values?: Record<string, FluentVariable>): string => words(key, values) ?? key;

/** The words for a key that is put together from what the API says, or what it says where there are none. */
export const named = (family: string, word: string): string =>
  words(`${family}-${word.replaceAll(".", "-")}`) ?? word;

/** Whether there are words for it. */
export const hasWords = (family: string, word: string): boolean =>
  words(`${family}-${word.replaceAll(".", "-")}`) !== null;
