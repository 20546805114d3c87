"""A receiver of webhooks that is not ours: signatures by `standardwebhooks`, events by `cloudevents`.

    python receiver.py SECRET STATUS...

Listens on a loopback port, which is the first line that it prints. Each request becomes one line of JSON: whether its
signature holds, what the event says, what was answered. The answers are the statuses in turn, then 204; a status may
name a wait, as in `503:1`. What does not verify is answered with 401 whatever was planned.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cloudevents.core.bindings import http
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

verifier = Webhook(sys.argv[1])
planned = sys.argv[2:]


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        told = {"path": self.path, "type": headers.get("content-type"), "id": headers.get("webhook-id")}
        try:
            verifier.verify(body, headers)
            event = http.from_http_event(http.HTTPMessage(headers=headers, body=body))
            attributes = {name: str(value) for name, value in event.get_attributes().items()}
            told |= {"verified": True, "event": attributes, "data": event.get_data()}
            status, _, wait = (planned.pop(0) if planned else "204").partition(":")
        except WebhookVerificationError as error:
            told |= {"verified": False, "error": str(error)}
            status, wait = "401", ""
        told["status"] = int(status)
        print(json.dumps(told), flush=True)
        self.send_response(int(status))
        if wait:
            self.send_header("retry-after", wait)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
