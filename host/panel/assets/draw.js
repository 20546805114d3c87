// One call on the page. Everything that comes from outside becomes text, never markup.

import { clock, milliseconds, named, span, t } from "./words.js";

let ids = 0;

/** An element with a class, text or children, and attributes. */
function el(tag, className, content, attributes = {}) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (typeof content === "string") node.textContent = content;
  else if (content) node.append(...content.filter(Boolean));
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

export const caller = (call) => call.from?.national ?? t("withheld");

export class CallCard {
  /** act(call, step): what the buttons of a simulated call do. */
  constructor(call, act) {
    this.act = act;
    this.findings = new Map();
    const id = `call-${++ids}`;
    this.number = el("h3", "number", "", { id });
    this.chip = el("span", "chip");
    this.timer = el("span", "timer", "", { role: "timer" });
    this.about = el("p", "about");
    this.buttons = el("div", "buttons");
    this.answers = el("div", "answers");
    const head = el("div", "call-head", [
      el("div", "who", [this.number, this.about]),
      el("div", "status", [this.chip, this.timer]),
      this.buttons,
    ]);
    this.node = el("li", "call", [el("article", "", [head, this.answers], { "aria-labelledby": id })]);
    this.update(call);
  }

  update(call) {
    this.call = call;
    this.node.dataset.state = call.state;
    this.number.textContent = caller(call);
    this.chip.textContent = call.state === "ended" ? named("cause", call.cause) : named("state", call.state);
    this.chip.dataset.state = call.state;
    this.chip.dataset.cause = call.cause ?? "";
    this.about.textContent = [
      call.to && t("to", { number: call.to.national }),
      call.queue && t("queue", { name: call.queue }),
      call.agent && t("agent", { name: call.agent }),
      t("at", { time: clock(call.ringing_at) }),
    ].filter(Boolean).join(" · ");
    this.#drawButtons();
    this.tick();
    this.#drawAnswers();
  }

  found(kind, body) {
    this.findings.set(body.plugin, { kind, body });
    this.#drawAnswers();
  }

  /** Draws everything anew, as after a change of language. */
  redraw() {
    this.answers.replaceChildren();
    this.steps = null;
    this.update(this.call);
  }

  tick() {
    const { state, ringing_at: rang, answered_at: answered, ended_at: ended } = this.call;
    const from = new Date(state === "ringing" ? rang : (answered ?? rang));
    const until = state === "ended" ? new Date(ended) : new Date();
    const text = span(until - from);
    if (this.timer.textContent !== text) this.timer.textContent = text;
  }

  #drawButtons() {
    const { state, source } = this.call;
    const steps = source !== "practice" ? [] : { ringing: ["answered", "missed"], answered: ["completed"] }[state] ?? [];
    if (this.steps === steps.join()) return;
    this.steps = steps.join();
    const words = { answered: t("answer"), missed: t("let-ring"), completed: t("hang-up") };
    const hadFocus = this.buttons.contains(document.activeElement);
    this.buttons.replaceChildren(
      ...steps.map((step) => {
        const button = el("button", step === "answered" ? "small primary" : "small", words[step], {
          type: "button",
          "aria-describedby": this.number.id,
        });
        button.addEventListener("click", () => this.act(this.call, step));
        return button;
      }),
    );
    // Whoever pressed a key goes on from here, not from the top of the page.
    if (hadFocus) this.buttons.querySelector("button")?.focus();
  }

  #drawAnswers() {
    const { asked, from } = this.call;
    if (asked.length === 0) {
      this.answers.replaceChildren(el("p", "note", from ? t("nobody-to-ask") : t("nothing-to-ask")));
      return;
    }
    for (const plugin of asked) {
      const key = CSS.escape(plugin);
      const before = this.answers.querySelector(`:scope > [data-plugin="${key}"]`);
      const finding = this.findings.get(plugin);
      const now = finding?.kind ?? "asking";
      if (before?.dataset.kind === now) continue;
      const node = finding ? answer(finding) : asking(plugin);
      node.dataset.plugin = plugin;
      node.dataset.kind = now;
      if (before) before.replaceWith(node);
      else this.answers.append(node);
    }
  }
}

const asking = (plugin) =>
  el("section", "answer asking", [
    el("p", "by", t("asking", { plugin })),
    el("div", "ghost", [el("span"), el("span"), el("span")], { "aria-hidden": "true" }),
  ]);

function answer({ kind, body }) {
  if (kind === "card-failed") return failure(body);
  const requests = body.requests === 1 ? t("requests-one") : t("requests", { count: body.requests });
  const by = body.cached
    ? t("known-already", { plugin: body.plugin })
    : `${t("answered-in", { plugin: body.plugin, time: milliseconds(body.took_ms) })} · ${requests}`;
  const several = body.cards.length > 1 && el("p", "several", t("several", { count: body.cards.length + body.left_out }));
  const cards = kind === "card"
    ? body.cards.map(card)
    : [el("div", "contact none", [el("h4", "name", t("none-found")), el("p", "", t("none-found-text"))])];
  const more = body.left_out > 0 && el("p", "note", t("left-out", { count: body.left_out }));
  return el("section", "answer", [
    el("p", "by", by),
    el("div", "pair", [el("div", "contacts", [several, ...cards, more]), seen(body.seen)]),
  ]);
}

function card(contact) {
  const facts = el("dl", "facts");
  const fact = (label, values) => {
    const list = values.filter(Boolean);
    if (list.length > 0) facts.append(el("div", "", [el("dt", "", label), ...list.map((v) => el("dd", "", v))]));
  };
  fact(t("owner"), [contact.owner]);
  fact(t("phones"), contact.phones);
  fact(t("emails"), contact.emails);
  for (const [label, value] of contact.extra) fact(label, [value]);
  const deals = contact.deals.length === 0
    ? el("p", "note", t("no-deals"))
    : el("ul", "deals", contact.deals.map(deal));
  return el("div", "contact", [
    el("div", "contact-head", [
      el("div", "", [el("h4", "name", contact.name || t("no-name")), contact.organization && el("p", "company", contact.organization)]),
      outside(contact.url, t("open"), "open"),
    ]),
    facts.childElementCount > 0 && facts,
    el("h5", "", t("deals")),
    deals,
  ]);
}

const deal = (item) =>
  el("li", "deal", [
    el("span", "deal-title", [outside(item.url, item.title, "") ?? item.title]),
    item.amount && el("span", "amount", item.amount),
    el("span", "deal-about", [item.stage, item.owner].filter(Boolean).join(" · ")),
  ]);

/** A link into the CRM; nothing when it is no web address. */
function outside(url, text, className) {
  if (!/^https?:\/\//i.test(url ?? "")) return null;
  return el("a", className, [text, el("span", "hidden", ` (${t("new-window")})`)], {
    href: url,
    target: "_blank",
    rel: "noopener noreferrer",
  });
}

function seen(list) {
  const title = el("h4", "seen-title", t("sees"));
  if (list.length === 0) return el("div", "seen", [title, el("p", "note", t("sees-nothing"))]);
  const rows = list.map((item) =>
    el("tr", "", [
      el("th", "", [
        el("span", "class", named("class", item.class)),
        el("span", "way", `${named("direction", item.direction)}${item.count > 1 ? ` ×${item.count}` : ""}`),
      ], { scope: "row" }),
      el("td", "", [
        el("span", "level", named("level", item.level), { "data-level": item.level }),
        el("span", "meaning", named("sees", item.level)),
      ]),
    ]),
  );
  const head = el("tr", "", [el("th", "", t("field"), { scope: "col" }), el("th", "", t("access"), { scope: "col" })]);
  return el("div", "seen", [
    title,
    el("table", "", [el("thead", "", [head]), el("tbody", "", rows)], { "aria-label": t("sees") }),
  ]);
}

function failure(body) {
  const time = milliseconds(body.took_ms);
  return el("section", "answer failed", [
    el("p", "by", t("gave-up-after", { plugin: body.plugin, time })),
    el("div", "contact trouble-card", [
      el("h4", "name", t("no-card")),
      el("p", "", named("failed", body.reason)),
      body.retry_after_s && el("p", "", t("retry-after", { count: body.retry_after_s })),
      body.detail && el("details", "", [el("summary", "", t("for-operators")), el("p", "detail", body.detail)]),
    ]),
  ]);
}
