import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// Where a host runs while one works on the page: `RAMAL=http://127.0.0.1:7700 npm run dev`.
const host = process.env.RAMAL ?? "http://127.0.0.1:7700";
const out = new URL("../dist", import.meta.url).pathname;

const KEPT = readFileSync(join(out, ".gitignore"));

/** Packs each file once, when the page is built, so that the host has nothing to compress. */
const packed = {
  name: "ramal-packed",
  apply: "build" as const,
  closeBundle() {
    // The one file of the folder that is committed; the build empties it.
    writeFileSync(join(out, ".gitignore"), KEPT);
    for (const name of readdirSync(out)) {
      const file = join(out, name);
      if (name.startsWith(".") || name.endsWith(".gz") || statSync(file).size < 1024) continue;
      writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
    }
  },
};

export default defineConfig({
  base: "/panel/",
  plugins: [svelte(), packed],
  build: {
    outDir: out,
    emptyOutDir: true,
    // One flat folder: the server's route takes one name.
    assetsDir: "",
    // Nothing as `data:`: the policy does not allow it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  server: { proxy: { "/v1": host, "/favicon.svg": host } },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
