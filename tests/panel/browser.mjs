// The browser under test, and everything that must not happen in it: errors, blocked or foreign requests.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(join(process.env.PANEL_PEER, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

export class Browser {
  /** What went wrong that no step looks at. */
  complaints = [];
  /** Bytes of script, as they came over the wire. */
  script = 0;
  #profile = mkdtempSync(join(tmpdir(), "ramal-browser-"));

  async open(origin, options = {}) {
    const executablePath = readFileSync(join(process.env.PANEL_PEER, "browser"), "utf8").trim();
    this.context = await chromium.launchPersistentContext(this.#profile, {
      executablePath, args: FLAGS, viewport: { width: 1360, height: 860 }, locale: "en-US", reducedMotion: "reduce", ...options,
    });
    this.page = this.context.pages()[0] ?? (await this.context.newPage());
    this.page.setDefaultTimeout(10_000);
    this.page.on("pageerror", (error) => this.complaints.push(`error: ${error.message}`));
    this.page.on("console", (message) => {
      const text = message.text();
      // A refused request is looked at by the step that makes it.
      if (message.type() === "error" && !text.startsWith("Failed to load resource")) this.complaints.push(`console: ${text}`);
    });
    this.page.on("request", (request) => {
      if (!request.url().startsWith(origin)) this.complaints.push(`a request to elsewhere: ${request.url()}`);
    });
    this.page.on("response", async (response) => {
      if (!response.url().includes(".js")) return;
      const sizes = await response.request().sizes().catch(() => null);
      this.script += sizes?.responseBodySize ?? 0;
    });
  }

  async close() {
    await this.context?.close();
    rmSync(this.#profile, { recursive: true, force: true });
  }

  /** What axe finds, in one line each. */
  async violations() {
    await this.page.evaluate(axe);
    const found = await this.page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    return found.violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target.join(" ")} (${node.failureSummary?.split("\n")[1]?.trim()})`));
  }
}
