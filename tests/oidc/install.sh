#!/usr/bin/env bash
# Install the authorization server peer: npm's oidc-provider, kept outside the work tree where possible and installed
# once. Prints the folder that holds it as the last line.
#
#   tests/oidc/install.sh            install what is missing (some seconds the first time)
#   RAMAL_CACHE=/somewhere ...       keep it there instead of ~/.cache/ramal
#
# Exit 3: this machine lacks something, and the last line of stderr names it. Any other failure is a bug.
# Several tests may run it at once: one works, the others wait for it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf 'oidc peer: %s\n' "$*" >&2; }
missing() { say "$*"; exit 3; }

cache=${RAMAL_CACHE:-${HOME:+$HOME/.cache/ramal}}
peer=
if [[ -n $cache ]] && mkdir -p "$cache/peers/oidc-9" 2>/dev/null && [[ -w $cache/peers/oidc-9 ]]; then
    peer=$cache/peers/oidc-9
else
    peer=$here/../../target/peers/oidc-9
    mkdir -p "$peer"
    peer=$(cd "$peer" && pwd)
fi

exec 9>"$peer/lock"
flock 9

node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' 2>/dev/null ||
    missing 'missing: Node.js 20 or newer'

# A stamp is the digest of what the thing was made from, written last: no half-made peer passes for a whole one.
stamp=$(sha256sum <"$here/package.json" | cut -d' ' -f1)
if [[ $(cat "$peer/stamp" 2>/dev/null) != "$stamp" ]]; then
    command -v npm >/dev/null || missing 'missing: npm, which comes with Node.js'
    say "installing into $peer with $(node --version)"
    rm -rf "$peer/node_modules" "$peer/stamp"
    cp "$here/package.json" "$peer/package.json"
    (cd "$peer" && npm install --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
        missing 'missing: the packages of tests/oidc/package.json (npm could not install them; is there a network?)'
    printf '%s\n' "$stamp" >"$peer/stamp"
fi
# The server finds its packages beside itself. Replaced whole, and only by another one: it may be starting elsewhere.
if ! cmp -s "$here/server.mjs" "$peer/server.mjs"; then
    cp "$here/server.mjs" "$peer/server.mjs.new"
    mv "$peer/server.mjs.new" "$peer/server.mjs"
fi
printf '%s\n' "$peer"
