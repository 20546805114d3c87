"""Reads vCons, one a line, with the library `vcon`, and says of each what is wrong with it, one JSON list a line.

The library checks what a JSON schema cannot: that parties and dialogs that are referred to exist. It is also asked to
write what it read, which must say the same again: a reader that loses a part would pass silently otherwise.
"""

import json
import logging
import sys

from vcon import Vcon

logging.disable(logging.CRITICAL)

for line in sys.stdin:
    given = json.loads(line)
    document = Vcon.build_from_json(line)
    wrong = list(document.is_valid()[1])
    kept = json.loads(document.to_json())
    for part in ("uuid", "parties", "dialog", "analysis", "attachments"):
        if kept.get(part) != given.get(part):
            wrong.append(f"{part} was read as something else")
    print(json.dumps(wrong), flush=True)
