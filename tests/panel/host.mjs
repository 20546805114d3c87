// The host under test: the real binary in a folder of its own, as `make run` starts it. Can be stopped and started again.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { appendFileSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = new URL("../..", import.meta.url).pathname;

const freePort = () =>
  new Promise((found, failed) => {
    const server = createServer().once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });

export class Host {
  /** What the host writes of itself, for the end of a test that failed. */
  log = [];
  #folder = mkdtempSync(join(tmpdir(), "ramal-panel-"));
  #secret = randomBytes(32).toString("hex");
  #child = null;

  /** With a provider's channel, so that there are conversations. */
  async prepare() {
    // Chosen here, so that the host comes back where the page looks for it.
    await this.start(["--listen", `127.0.0.1:${await freePort()}`, "--crm", "127.0.0.1:0"]);
    await this.stop();
    const data = join(this.#folder, "practice-data");
    copyFileSync(join(root, "docs/channels/zenvia.toml"), join(data, "zenvia.toml"));
    writeFileSync(join(data, "zenvia-secret"), this.#secret, { mode: 0o600 });
    const channel = ["[[tenant.channel]]", 'kind = "mapped"', 'id = "zenvia"', 'mapping = "zenvia.toml"', 'secret-file = "zenvia-secret"'];
    appendFileSync(join(data, "ramal.toml"), `\n${channel.join("\n")}\n`);
    await this.start();
  }

  async start(more = []) {
    const { RAMAL, RAMAL_PLUGINS } = process.env;
    const child = spawn(RAMAL, ["run", "--practice", "--plugins", RAMAL_PLUGINS, ...more], { cwd: this.#folder, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    createInterface({ input: child.stderr }).on("line", (line) => this.log.push(line));
    this.url = await new Promise((found, failed) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (line.trimStart().startsWith("panel")) found(line.trim().split(/\s+/).at(-1));
      });
      child.once("exit", (code) => failed(new Error(`the host ended with ${code}\n${this.log.join("\n")}`)));
    });
    const url = new URL(this.url);
    this.origin = url.origin;
    this.token = url.searchParams.get("token");
  }

  stop() {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null) return Promise.resolve();
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    return ended;
  }

  async end() {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async ask(path, body, headers = {}) {
    const answer = await fetch(this.origin + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json().catch(() => null);
  }

  /** A customer writes by WhatsApp. */
  write(id, text) {
    const contents = [{ type: "text", text }];
    const message = { id, from: "5512987654002", to: "5511400000", direction: "IN", channel: "whatsapp", contents };
    const body = { id, timestamp: new Date().toISOString(), type: "MESSAGE", channel: "whatsapp", direction: "IN", message };
    return this.ask("/v1/channels/zenvia/webhook", body, { "x-ramal-key": this.#secret });
  }
}
