// The panel in a real browser against the real host: a call from its first ring to the history, a connection that breaks
// and heals, and every page judged by axe in both themes and languages. Prints what it did; ends with 1 when something
// is wrong. RAMAL is the binary, RAMAL_PLUGINS the folder of the practice plugin, PANEL_PEER what install.sh printed;
// with PANEL_SHOTS a folder for pictures.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Browser } from "./browser.mjs";
import { Host } from "./host.mjs";

const MOST_SCRIPT = 200_000;
const MARIA = "+5561987654001";
const SHARED = "+554132100009";

const host = new Host();
const browser = new Browser();
const step = async (name, work) => {
  const begun = Date.now();
  await work();
  console.log(`ok ${name} (${Date.now() - begun} ms)`);
};
const shot = async (name, options = {}) => {
  if (!process.env.PANEL_SHOTS) return;
  mkdirSync(process.env.PANEL_SHOTS, { recursive: true });
  await browser.page.screenshot({ path: join(process.env.PANEL_SHOTS, `${name}.png`), ...options });
};
/** Waits until what is asked is so. */
async function until(what, question) {
  for (let tries = 0; tries < 200; tries++) {
    if (await question()) return;
    await new Promise((later) => setTimeout(later, 50));
  }
  assert.fail(`in vain: ${what}`);
}
const call = async (number) => (await host.ask("/v1/practice/calls", { number })).interaction;
const go = async (place) => {
  await browser.page.evaluate((hash) => { location.hash = hash; }, place);
  // Each page shows what it has in place of what it waits for.
  await until(`nothing waits at ${place}`, async () => (await browser.page.locator("main .ghost").count()) === 0);
};

async function story() {
  const { page } = browser;
  await step("without a session the page asks for its key, and takes none that is wrong", async () => {
    await page.goto(host.origin);
    await page.getByLabel("Key", { exact: true }).fill("wrong");
    await page.getByRole("button", { name: "Enter" }).click();
    await page.getByText("That key is not valid.").waitFor();
    assert.deepEqual(await browser.violations(), []);
    await page.getByLabel("Key", { exact: true }).fill(host.token);
    await page.getByRole("button", { name: "Enter" }).click();
    await page.getByText("No calls yet").waitFor();
    assert.ok(!page.url().includes(host.token), "the key stays in no address");
  });

  let interaction;
  await step("a call rings: the number, then the card", async () => {
    await page.getByLabel("Number (optional)").fill(MARIA);
    await page.getByRole("button", { name: "Simulate an incoming call" }).click();
    await page.getByRole("heading", { name: "(61) 98765-4001" }).waitFor();
    await page.getByRole("heading", { name: "Maria Aparecida Nogueira" }).waitFor();
    await page.getByText("Bruno Lima").first().waitFor();
    await page.getByText(/practice answered in .* request/).waitFor();
    await page.getByRole("link", { name: /Open in CRM/ }).first().waitFor();
    interaction = new URL(page.url()).hash.match(/show=([^&]+)/)[1];
  });
  await step("what the plugin could see is told field by field", async () => {
    const table = page.getByRole("table", { name: /What the plugin could see/ });
    await table.getByRole("row", { name: /Phone handed to the plugin.* Sealed/ }).waitFor();
    await page.getByText(/0 readable/).waitFor();
    await shot("ring");
  });
  await step("the keyboard answers, hangs up and goes to the notes", async () => {
    await page.locator("body").press("a");
    await page.locator("article").getByText("Answered", { exact: true }).waitFor();
    await page.locator("body").press("e");
    await page.locator("article").getByText("Completed", { exact: true }).waitFor();
    await page.locator("body").press("n");
    assert.equal(await page.evaluate(() => document.activeElement.id), "notes");
    await page.getByText(/wrap-up 00:/).waitFor();
  });
  await step("what was typed outlives a look at another call", async () => {
    await page.keyboard.type("Pede segunda via do boleto.");
    await page.getByRole("link", { name: "History", exact: true }).click();
    await page.getByRole("heading", { name: "History", exact: true }).waitFor();
    await page.goBack();
    assert.equal(await page.getByLabel("Notes", { exact: true }).inputValue(), "Pede segunda via do boleto.");
  });
  await step("notes and disposition are saved", async () => {
    await page.getByLabel("Disposition").fill("Resolved");
    await page.getByLabel("Disposition").press("Control+Enter");
    await page.locator("form").getByText("Saved.").waitFor();
    const kept = await host.ask(`/v1/interactions/${interaction}`);
    assert.deepEqual([kept.notes, kept.disposition], ["Pede segunda via do boleto.", "Resolved"]);
  });
  await step("the CRM was told, and the page says so", async () => {
    await until("it is written", async () => (await page.locator("section", { hasText: "Told to the CRMs" }).getByText("Written").count()) > 0);
  });
  await step("the history shows it, and who did what when", async () => {
    await page.getByRole("link", { name: "History", exact: true }).click();
    await page.getByRole("row", { name: /\(61\) 98765-4001.*Completed.*Resolved/ }).getByRole("link").first().click();
    await page.getByText("Disposition: Resolved").waitFor();
    await page.getByText("Notes were written").waitFor();
    await page.getByText("Practice answered", { exact: true }).waitFor();
    await page.getByText(/practice was told \(first account\): Written/).waitFor();
  });
  await step("the history is searched by number and filtered", async () => {
    await go("#/history");
    await page.getByLabel("Customer's number").fill("(61) 98765-4001");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("row", { name: /\(61\) 98765-4001/ }).first().waitFor();
    await page.getByLabel("State").selectOption("ringing");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByText("Nothing found").waitFor();
  });

  await step("one of several with a number is chosen", async () => {
    const shared = await call(SHARED);
    await go(`#/?show=${shared}`);
    await page.getByText("2 contacts have this number. Which one is it?").waitFor();
    await page.getByRole("button", { name: /This is the customer.*Sérgio Murilo Leal/ }).click();
    await page.getByText("The customer", { exact: true }).waitFor();
    const links = (await host.ask(`/v1/interactions/${shared}`)).links;
    assert.equal(links.length, 1);
    await host.ask(`/v1/practice/calls/${(await host.ask("/v1/calls")).calls[0].call.call_id}/missed`, {});
  });

  await step("a customer writes: the conversation is there, live", async () => {
    await host.write("m1", "Bom dia! Meu pedido saiu?");
    await page.getByRole("link", { name: /Conversations/ }).click();
    await page.getByRole("link", { name: /\(12\) 98765-4002/ }).click();
    await page.getByRole("log").getByText("Bom dia! Meu pedido saiu?").waitFor();
    await host.write("m2", "<b>É o 4471</b>");
    await page.getByRole("log").getByText("<b>É o 4471</b>").waitFor();
    await page.getByText(/Free text for 23:5/).waitFor();
  });

  await step("a lost connection is shown and healed, without a reload and without a gap", async () => {
    await go("#/");
    await page.evaluate(() => { window.untouched = true; });
    await host.stop();
    await page.getByText("Connection lost, trying again…").waitFor();
    await host.start();
    // While the page does not listen yet.
    await call("+5512987654002");
    await page.getByRole("link", { name: /João Batista Ferraz.*Ringing/ }).waitFor({ timeout: 30_000 });
    await page.getByText("Live", { exact: true }).waitFor();
    assert.equal(await page.evaluate(() => window.untouched), true);
  });
  return interaction;
}

async function everywhere(interaction) {
  const { page } = browser;
  const talk = (await host.ask("/v1/interactions?channel=whatsapp")).items[0].interaction;
  const several = (await host.ask("/v1/calls")).calls.find((one) => one.call.from.e164 === SHARED).call.interaction;
  const places = {
    desk: "#/", card: `#/?show=${interaction}`, several: `#/?show=${several}`, conversations: "#/conversations", conversation: `#/conversations/${talk}`,
    history: "#/history", nothing: "#/history?queue=none", interaction: `#/interaction/${interaction}`, gone: "#/interaction/gone",
    channels: "#/governance/channels", plugins: "#/governance/plugins", deliveries: "#/governance/deliveries",
    credentials: "#/governance/credentials", nowhere: "#/nowhere",
  };
  const found = [];
  for (const language of ["en", "pt-BR"]) {
    await page.locator(".tools select").first().selectOption(language);
    for (const theme of ["light", "dark"]) {
      await page.locator(".tools select").nth(1).selectOption(theme);
      for (const [name, place] of Object.entries(places)) {
        await go(place);
        found.push(...(await browser.violations()).map((line) => `${name} ${language} ${theme}: ${line}`));
        await shot(`${name}-${language}-${theme}`);
      }
    }
  }
  assert.deepEqual([...new Set(found)], []);
  assert.equal(await page.evaluate(() => window.untouched), true, "languages and themes change without a reload");
  await page.setViewportSize({ width: 360, height: 740 });
  const wide = [];
  for (const [name, place] of Object.entries(places)) {
    await go(place);
    const over = await page.evaluate(() => {
      const main = document.querySelector("main");
      return Math.max(document.documentElement.scrollWidth - innerWidth, main.scrollWidth - main.clientWidth);
    });
    if (over > 0) wide.push(`${name} by ${over}`);
    found.push(...(await browser.violations()).map((line) => `${name} 360: ${line}`));
    await shot(`${name}-360`);
  }
  assert.deepEqual([wide, found], [[], []], "at 360 px");
  console.log(`ok ${Object.keys(places).length} pages, 2 languages, 2 themes and 360 px: no violation`);
}

async function end() {
  const { page } = browser;
  await page.setViewportSize({ width: 1360, height: 860 });
  await page.locator(".tools select").first().selectOption("en");
  await step("a plugin is revoked after a question, and the page says what that means", async () => {
    await go("#/governance/plugins");
    await page.getByRole("button", { name: /Revoke\s+practice/ }).click();
    await page.getByRole("heading", { name: "Revoke the grant of practice?" }).waitFor();
    assert.deepEqual(await browser.violations(), []);
    await page.getByRole("button", { name: "Cancel" }).click();
    assert.equal((await host.ask("/v1/plugins"))[0].state, "serving");
    await page.getByRole("button", { name: /Revoke\s+practice/ }).click();
    await page.getByRole("button", { name: "Revoke", exact: true }).click();
    await page.getByText("Its grant was revoked or has run out.").waitFor();
    assert.equal((await host.ask("/v1/plugins"))[0].state, "ended");
  });
  await step("logging out ends the session", async () => {
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByText("This page needs its key").waitFor();
    assert.equal((await page.context().cookies()).length, 0);
  });
}

try {
  await host.prepare();
  await browser.open(host.origin);
  const interaction = await story();
  await everywhere(interaction);
  await end();
  assert.deepEqual(browser.complaints, []);
  assert.ok(browser.script > 10_000 && browser.script < MOST_SCRIPT, `${browser.script} bytes of script`);
  console.log(`ok all scripts of all pages: ${browser.script} bytes over the wire`);
} catch (error) {
  console.error(error);
  console.error(browser.complaints.join("\n"));
  console.error(host.log.slice(-20).join("\n"));
  await shot("failed");
  process.exitCode = 1;
} finally {
  await browser.close();
  await host.end();
}
