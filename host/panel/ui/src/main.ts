// Puts the page into the document.
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { start } from "./lib/desk.svelte";
import "./lib/theme.svelte";
import { firstLanguage, speak } from "./lib/words.svelte";

const target = document.getElementById("app");
// The words and the calls are asked for side by side; the page is drawn as soon as it can speak.
void start();
await speak(firstLanguage()).catch(() => {});
if (target) mount(App, { target });
