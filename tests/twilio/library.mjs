// Twilio's JavaScript library, asked line by line: one JSON object in, one out.
//
// {"do": "sign", "token", "url", "params": [[name, value], ...]}  -> {"signature"}
// {"do": "check", ..., "body": null | text, "signature"}          -> {"valid"}
import { createInterface } from "node:readline";
import twilio from "twilio";
import { getExpectedTwilioSignature } from "twilio/lib/webhooks/webhooks.js";

function params(pairs) {
  const many = Object.create(null);
  for (const [name, value] of pairs) (many[name] ??= []).push(value);
  return many;
}

function answer(ask) {
  if (ask.do === "sign") return { signature: getExpectedTwilioSignature(ask.token, ask.url, params(ask.params)) };
  const valid =
    ask.body === null
      ? twilio.validateRequest(ask.token, ask.signature, ask.url, params(ask.params))
      : twilio.validateRequestWithBody(ask.token, ask.signature, ask.url, ask.body);
  return { valid };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(answer(JSON.parse(line))));
}
