"""pywa, asked line by line: one JSON object in, one out.

{"do": "check", "secret", "body": base64, "signature": text | null} -> {"status": 200 | 401 | 403}
{"do": "challenge", "word", "given", "challenge"}                   -> {"status", "text"}
{"do": "read", "body": base64}                                      -> {"status", "read": null | {"what", "id", ...}}
{"do": "text" | "image" | "template" | "seen", "base", ...}         -> {"id"} | {"code"}
{"do": "fetch", "base", "id"}                                       -> {"bytes": base64}
"""

import base64
import functools
import json
import logging
import sys
import warnings

import httpx
from pywa import WhatsApp
from pywa.errors import WhatsAppError
from pywa.types.templates import BodyText, TemplateLanguage

logging.disable(logging.CRITICAL)
# It warns of each kind of message that it does not know; some are made up here on purpose.
warnings.simplefilter("ignore")

ACCOUNT = "102290129340398"
NUMBER = "106540352242922"


@functools.cache
def receiver(**more):
    # Somebody must hand the requests over, which is done here; so no server and no filter by handlers.
    return WhatsApp(
        phone_id=NUMBER, token="t", waba_id=ACCOUNT, skip_duplicate_updates=False, server=None, **more
    )


def body(ask):
    return base64.b64decode(ask["body"])


class Read:
    """Everything that pywa would hand to a program, whatever its kind."""

    def __init__(self):
        self.client = receiver(verify_token="w", app_secret="s")
        self.read = None
        # What it makes of an update is seen where it would look for somebody to tell.
        self.client._invoke_callbacks = self.take

    def take(self, _handler, update):
        if type(update).__name__ != "RawUpdate":
            self.read = update

    def ask(self, data):
        self.read = None
        try:
            _, status = self.client.webhook_update_handler(data)
        except Exception:
            # A body that is JSON and not in Meta's form.
            return {"status": 500, "read": None}
        return {"status": status, "read": told(self.read)}


def told(update):
    if update is None:
        return None
    what = {"what": type(update).__name__, "id": update.id}
    user = getattr(update, "from_user", None)
    if user is not None:
        what |= {"user": user.bsuid, "wa_id": user.wa_id}
    for name in ("status", "type", "event", "tracker"):
        if getattr(update, name, None) is not None:
            what[name] = str(getattr(update, name))
    if (at := getattr(update, "timestamp", None)) is not None:
        what["at"] = int(at.timestamp())
    for name in ("text", "caption", "title"):
        if isinstance(getattr(update, name, None), str):
            what[name] = getattr(update, name)
    return what


def sender(ask):
    session = httpx.Client()
    client = WhatsApp(phone_id=NUMBER, token=ask["token"], session=session, waba_id=ACCOUNT)
    session.base_url = ask["base"]
    return client


def send(ask):
    client = sender(ask)
    more = {"tracker": ask.get("tracker"), "reply_to_message_id": ask.get("answers")}
    match ask["do"]:
        case "text":
            return client.send_message(ask["to"], ask["text"], **more).id
        case "image":
            return client.send_image(ask["to"], ask["image"], caption=ask["caption"], **more).id
        case "template":
            params = [BodyText.params(*ask["texts"])]
            return client.send_template(ask["to"], ask["name"], TemplateLanguage(ask["language"]), params, **more).id
        case "seen":
            return str(client.mark_message_as_read(ask["id"]).success)
    raise ValueError(ask["do"])


reading = Read()


def answer(ask):
    match ask["do"]:
        case "check":
            refused = receiver(verify_token="w", app_secret=ask["secret"]).webhook_update_validator(
                body(ask), ask["signature"]
            )
            return {"status": refused[1] if refused else 200}
        case "challenge":
            text, status = receiver(verify_token=ask["word"], app_secret="s").webhook_challenge_handler(
                ask["given"], ask["challenge"]
            )
            return {"status": status, "text": text}
        case "read":
            return reading.ask(body(ask))
        case "fetch":
            client = sender(ask)
            url = client.get_media_url(ask["id"]).url
            return {"bytes": base64.b64encode(client.get_media_bytes(url)).decode()}
    try:
        return {"id": send(ask)}
    except WhatsAppError as error:
        return {"code": error.code}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
