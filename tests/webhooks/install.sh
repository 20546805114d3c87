#!/usr/bin/env bash
# Install the receiver of webhooks: a Python venv with a verifier of signatures and a reader of events, kept outside the
# work tree where possible and made once. Prints the folder that holds it as the last line.
#
#   tests/webhooks/install.sh        install what is missing (some seconds the first time)
#   RAMAL_CACHE=/somewhere ...       keep it there instead of ~/.cache/ramal
#   RAMAL_PYTHON=/path/to/python3    use this interpreter, 3.11 or newer
#
# Exit 3: this machine lacks something, and the last line of stderr names it. Any other failure is a bug.
# Several tests may run it at once: one works, the others wait for it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf 'webhook peer: %s\n' "$*" >&2; }
missing() { say "$*"; exit 3; }

cache=${RAMAL_CACHE:-${HOME:+$HOME/.cache/ramal}}
peer=
if [[ -n $cache ]] && mkdir -p "$cache/peers/webhooks-1" 2>/dev/null && [[ -w $cache/peers/webhooks-1 ]]; then
    peer=$cache/peers/webhooks-1
else
    peer=$here/../../target/peers/webhooks-1
    mkdir -p "$peer"
    peer=$(cd "$peer" && pwd)
fi

exec 9>"$peer/lock"
flock 9

# A stamp is the digest of what the thing was made from, written last: no half-made peer passes for a whole one.
stamp=$(sha256sum <"$here/requirements.txt" | cut -d' ' -f1)
if [[ $(cat "$peer/stamp" 2>/dev/null) != "$stamp" ]] || ! "$peer/venv/bin/python" -c '' 2>/dev/null; then
    python=${RAMAL_PYTHON:-python3}
    "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 ||
        missing 'missing: Python 3.11 or newer with venv (name one with RAMAL_PYTHON)'
    say "installing into $peer/venv with $("$python" --version)"
    rm -rf "$peer/venv" "$peer/stamp"
    "$python" -m venv "$peer/venv" >&2
    "$peer/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --only-binary :all: --requirement "$here/requirements.txt" >&2 ||
        missing 'missing: the packages of tests/webhooks/requirements.txt (pip could not install them; is there a network?)'
    printf '%s\n' "$stamp" >"$peer/stamp"
fi
printf '%s\n' "$peer"
