#!/usr/bin/env bash
# Install Twilio's own libraries, in Python and in JavaScript, kept outside the work tree where possible and made once.
# Prints the folder that holds them as the last line.
#
#   tests/twilio/install.sh          install what is missing (some seconds the first time)
#   RAMAL_CACHE=/somewhere ...       keep them there instead of ~/.cache/ramal
#   RAMAL_PYTHON=/path/to/python3    use this interpreter, 3.11 or newer
#
# Exit 3: this machine lacks something, and the last line of stderr names it. Any other failure is a bug.
# Several tests may run it at once: one works, the others wait for it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf 'twilio peer: %s\n' "$*" >&2; }
missing() { say "$*"; exit 3; }

cache=${RAMAL_CACHE:-${HOME:+$HOME/.cache/ramal}}
peer=
if [[ -n $cache ]] && mkdir -p "$cache/peers/twilio-9" 2>/dev/null && [[ -w $cache/peers/twilio-9 ]]; then
    peer=$cache/peers/twilio-9
else
    peer=$here/../../target/peers/twilio-9
    mkdir -p "$peer"
    peer=$(cd "$peer" && pwd)
fi

exec 9>"$peer/lock"
flock 9

node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null ||
    missing 'missing: Node.js 20 or newer'

# A stamp is the digest of what the thing was made from, written last: no half-made peer passes for a whole one.
stamp=$(cat "$here/requirements.txt" "$here/package.json" | sha256sum | cut -d' ' -f1)
if [[ $(cat "$peer/stamp" 2>/dev/null) != "$stamp" ]] || ! "$peer/venv/bin/python" -c '' 2>/dev/null; then
    python=${RAMAL_PYTHON:-python3}
    "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 ||
        missing 'missing: Python 3.11 or newer with venv (name one with RAMAL_PYTHON)'
    command -v npm >/dev/null || missing 'missing: npm, which comes with Node.js'
    say "installing into $peer with $("$python" --version) and Node.js $(node --version)"
    rm -rf "$peer/venv" "$peer/node_modules" "$peer/stamp"
    "$python" -m venv "$peer/venv" >&2
    "$peer/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --only-binary :all: --requirement "$here/requirements.txt" >&2 ||
        missing 'missing: the packages of tests/twilio/requirements.txt (pip could not install them; is there a network?)'
    cp "$here/package.json" "$peer/package.json"
    (cd "$peer" && npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
        missing 'missing: the packages of tests/twilio/package.json (npm could not install them; is there a network?)'
    printf '%s\n' "$stamp" >"$peer/stamp"
fi
# The script finds its packages beside itself. Replaced whole, and only by another one: it may be starting elsewhere.
if ! cmp -s "$here/library.mjs" "$peer/library.mjs"; then
    cp "$here/library.mjs" "$peer/library.mjs.new"
    mv "$peer/library.mjs.new" "$peer/library.mjs"
fi
printf '%s\n' "$peer"
