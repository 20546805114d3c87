"""Twilio's Python library, asked line by line: one JSON object in, one out.

{"do": "sign", "token", "url", "params": [[name, value], ...], "algorithm"} -> {"signature"}
{"do": "check", ..., "body": null | text, "signature"}                      -> {"valid"}
{"do": "send", "base", "account", "token", "from", "to", "text", "callback"} -> {"sid", "status"} | {"code", "status"}
"""

import json
import sys

from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client


class Many(dict):
    """Parameters that may come more than once, as web frameworks give them."""

    def getlist(self, name):
        return self[name]


def params(pairs):
    many = Many()
    for name, value in pairs:
        many.setdefault(name, []).append(value)
    return many


def send(ask):
    client = Client(ask["account"], ask["token"])
    client.api.base_url = ask["base"]
    try:
        message = client.messages.create(
            to=ask["to"], from_=ask["from"], body=ask["text"], status_callback=ask["callback"]
        )
    except TwilioRestException as error:
        return {"code": error.code, "status": error.status}
    return {"sid": message.sid, "status": message.status}


def answer(ask):
    if ask["do"] == "send":
        return send(ask)
    library = RequestValidator(ask["token"])
    if ask["do"] == "sign":
        return {"signature": library.compute_signature(ask["url"], params(ask["params"]), ask["algorithm"])}
    body = params(ask["params"]) if ask.get("body") is None else ask["body"]
    return {"valid": library.validate(ask["url"], body, ask["signature"], ask["algorithm"])}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
