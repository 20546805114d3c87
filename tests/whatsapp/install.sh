#!/usr/bin/env bash
# Install pywa, an independent WhatsApp library in Python, kept outside the work tree where possible and made once.
# Prints the folder that holds them as the last line.
#
#   tests/whatsapp/install.sh        install what is missing (some seconds the first time)
#   RAMAL_CACHE=/somewhere ...       keep them there instead of ~/.cache/ramal
#   RAMAL_PYTHON=/path/to/python3    use this interpreter, 3.11 or newer
#
# Exit 3: this machine lacks something, and the last line of stderr names it. Any other failure is a bug.
# Several tests may run it at once: one works, the others wait for it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf 'whatsapp peer: %s\n' "$*" >&2; }
missing() { say "$*"; exit 3; }

cache=${RAMAL_CACHE:-${HOME:+$HOME/.cache/ramal}}
peer=
if [[ -n $cache ]] && mkdir -p "$cache/peers/whatsapp-4" 2>/dev/null && [[ -w $cache/peers/whatsapp-4 ]]; then
    peer=$cache/peers/whatsapp-4
else
    peer=$here/../../target/peers/whatsapp-4
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
    say "installing into $peer with $("$python" --version)"
    rm -rf "$peer/venv" "$peer/stamp"
    "$python" -m venv "$peer/venv" >&2
    "$peer/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --only-binary :all: --requirement "$here/requirements.txt" >&2 ||
        missing 'missing: the packages of tests/whatsapp/requirements.txt (pip could not install them; is there a network?)'
    printf '%s\n' "$stamp" >"$peer/stamp"
fi
printf '%s\n' "$peer"
