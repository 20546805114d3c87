// Puts the page together: the connection, the list of calls, the form, the language and the theme.

import { CallCard, caller } from "./draw.js";
import { Live, post } from "./live.js";
import { firstLanguage, language, named, recall, remember, speak, t } from "./words.js";

const MOST_CALLS = 50;
const at = (id) => document.getElementById(id);
const calls = new Map();
let link = "connecting";
let practice = false;

// === the list ===

function put(call, announce) {
  const known = calls.get(call.interaction);
  if (known) return known.update(call);
  const card = new CallCard(call, move);
  calls.set(call.interaction, card);
  at("calls").prepend(card.node);
  if (announce) say(t("new-call", { who: caller(call) }));
  while (calls.size > MOST_CALLS) {
    const oldest = at("calls").lastElementChild;
    for (const [id, old] of calls) if (old.node === oldest) calls.delete(id);
    oldest.remove();
  }
  drawEmpty();
}

function drawEmpty() {
  const door = link === "no-access";
  at("empty").hidden = calls.size > 0 && !door;
  at("empty-title").textContent = door ? t("door") : t("empty");
  at("empty-text").textContent = door ? t("door-text") : practice ? t("empty-practice") : t("empty-real");
}

// One region for what is new: a timer or a whole card read aloud would drown it.
const say = (text) => { at("announce").textContent = text; };

async function move(call, step) {
  await attempt(() => post(`/v1/practice/calls/${encodeURIComponent(call.call_id)}/${step}`, {}));
}

// === the connection ===

const live = new Live({
  state(word) {
    link = word;
    drawLink();
    drawEmpty();
  },
  session(session) {
    practice = session.practice;
    at("practice-banner").hidden = !practice;
    at("practice-form").hidden = !practice;
  },
  calls(list) {
    // The list is the truth: what is not in it is gone, as after another database was put in.
    const kept = new Set(list.map(({ call }) => call.interaction));
    for (const [id, card] of calls) {
      if (kept.has(id)) continue;
      card.node.remove();
      calls.delete(id);
    }
    for (const { call, findings } of [...list].reverse()) {
      put(call, false);
      for (const { kind, body } of findings) calls.get(call.interaction).found(kind, body);
    }
    drawEmpty();
  },
  event(kind, body) {
    if (kind === "call") return put(body, true);
    const card = calls.get(body.interaction);
    if (!card) return;
    card.found(kind, body);
    if (kind === "card") say(t("found", { plugin: body.plugin, name: body.cards[0]?.name || t("no-name") }));
  },
});

function drawLink() {
  at("link").dataset.state = link;
  const words = {
    live: t("live"),
    connecting: t("connecting"),
    reconnecting: t("reconnecting"),
    "no-access": t("no-access"),
  };
  at("link-text").textContent = words[link];
}

// === the form ===

let problem = null;

async function attempt(work) {
  problem = null;
  drawProblem();
  try {
    await work();
    return true;
  } catch (met) {
    problem = met;
    drawProblem();
    return false;
  }
}

function drawProblem() {
  const trouble = at("trouble");
  trouble.hidden = !problem;
  if (!problem) return;
  const words = named("problem", problem.code);
  // The server's own words where this page has none.
  trouble.textContent = words === problem.code
    ? [problem.detail, problem.hint].filter(Boolean).join(" — ")
    : words;
}

at("simulate").addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  const number = at("number").value.trim();
  const done = await attempt(() => post("/v1/practice/calls", number ? { number } : {}));
  if (done) at("number").value = "";
  else if (number) at("number").focus();
});

// === language and theme ===

async function use(name) {
  await speak(name);
  at("language").value = name;
  drawLink();
  drawEmpty();
  drawProblem();
  for (const card of calls.values()) card.redraw();
}

at("language").addEventListener("change", (chosen) => {
  remember("ramal.language", chosen.target.value);
  use(chosen.target.value).catch(() => { at("language").value = language(); });
});

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
function drawTheme() {
  const chosen = recall("ramal.theme");
  const dark = chosen ? chosen === "dark" : systemIsDark.matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  at("theme").setAttribute("aria-pressed", String(dark));
}
systemIsDark.addEventListener("change", drawTheme);
at("theme").addEventListener("click", () => {
  remember("ramal.theme", document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  drawTheme();
});

drawTheme();
setInterval(() => {
  for (const card of calls.values()) if (card.call.state !== "ended") card.tick();
}, 1000);
use(firstLanguage())
  .catch(() => {})
  .finally(() => live.start());
