#!/usr/bin/env bash
# Install what drives a browser for the panel's tests: playwright-core and axe-core, kept outside the work tree where
# possible and installed once. The browser is the system's Chromium. Prints the folder that holds them as the last line.
#
#   tests/panel/install.sh           install what is missing (some seconds the first time)
#   RAMAL_CACHE=/somewhere ...       keep it there instead of ~/.cache/ramal
#   RAMAL_CHROMIUM=/path/to/it       use this browser
#
# Exit 3: this machine lacks something, and the last line of stderr names it. Any other failure is a bug.
# Several tests may run it at once: one works, the others wait for it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf 'panel peer: %s\n' "$*" >&2; }
missing() { say "$*"; exit 3; }

cache=${RAMAL_CACHE:-${HOME:+$HOME/.cache/ramal}}
peer=
if [[ -n $cache ]] && mkdir -p "$cache/peers/panel-1" 2>/dev/null && [[ -w $cache/peers/panel-1 ]]; then
    peer=$cache/peers/panel-1
else
    peer=$here/../../target/peers/panel-1
    mkdir -p "$peer"
    peer=$(cd "$peer" && pwd)
fi

exec 9>"$peer/lock"
flock 9

node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null ||
    missing 'missing: Node.js 20 or newer'

browser() { command -v "${RAMAL_CHROMIUM:-chromium}" || command -v chromium-browser || command -v google-chrome; }
if ! browser >/dev/null && [[ -z ${RAMAL_CHROMIUM:-} && $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
    say 'installing Chromium with apt-get'
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-core; } >&2 ||
        say 'apt-get could not install it'
fi
browser >/dev/null || missing 'missing: Chromium (on Debian: apt-get install chromium; or name one with RAMAL_CHROMIUM)'

# A stamp is the digest of what the thing was made from, written last: no half-made peer passes for a whole one.
stamp=$(sha256sum <"$here/package.json" | cut -d' ' -f1)
if [[ $(cat "$peer/stamp" 2>/dev/null) != "$stamp" ]]; then
    command -v npm >/dev/null || missing 'missing: npm, which comes with Node.js'
    say "installing into $peer with $(node --version)"
    rm -rf "$peer/node_modules" "$peer/stamp"
    cp "$here/package.json" "$peer/package.json"
    (cd "$peer" && npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
        missing 'missing: the packages of tests/panel/package.json (npm could not install them; is there a network?)'
    printf '%s\n' "$stamp" >"$peer/stamp"
fi
browser >"$peer/browser"
printf '%s\n' "$peer"
