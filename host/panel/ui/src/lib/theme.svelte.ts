// Light or dark: as the system is, until somebody chooses.

import { recall, remember } from "./storage";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const system = matchMedia("(prefers-color-scheme: dark)");
const first = recall("theme");
let chosen = $state<Theme>(first === "light" || first === "dark" ? first : "system");

function draw(): void {
  const dark = chosen === "system" ? system.matches : chosen === "dark";
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
}

export const theme = (): Theme => chosen;

export function setTheme(value: Theme): void {
  chosen = value;
  remember("theme", value);
  draw();
}

system.addEventListener("change", draw);
draw();
