#!/usr/bin/env bash
# Install the checkers of vCons: a Python venv with the library `vcon`, and the JSON schema of the IETF's draft, kept
# outside the work tree where possible and made once. Prints the folder that holds them as the last line.
#
#   tests/vcon/install.sh            install what is missing (some seconds the first time)
#   RAMAL_CACHE=/somewhere ...       keep it there instead of ~/.cache/ramal
#   RAMAL_PYTHON=/path/to/python3    use this interpreter, 3.12 or newer
#   RAMAL_VCON_SCHEMA=/path ...      take the schema from this file, where the IETF's repository is out of reach
#
# Exit 3: this machine lacks something, and the last line of stderr names it. Any other failure is a bug.
# Several tests may run it at once: one works, the others wait for it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf 'vcon peer: %s\n' "$*" >&2; }
missing() { say "$*"; exit 3; }

# The schema of syntax 0.4.0, informative by the draft's own words, at a commit that does not change.
schema_commit=2342aba64bdb71d9e80ab6e274a3921e2b1c769e
schema_digest=c0501eb64fea587db2af43afc80a76d6b094c77694f5f41a92164d04fb926c5d
schema_address=https://raw.githubusercontent.com/ietf-wg-vcon/draft-ietf-vcon-vcon-core/$schema_commit/vcon_json_schema.json

cache=${RAMAL_CACHE:-${HOME:+$HOME/.cache/ramal}}
peer=
if [[ -n $cache ]] && mkdir -p "$cache/peers/vcon-1" 2>/dev/null && [[ -w $cache/peers/vcon-1 ]]; then
    peer=$cache/peers/vcon-1
else
    peer=$here/../../target/peers/vcon-1
    mkdir -p "$peer"
    peer=$(cd "$peer" && pwd)
fi

exec 9>"$peer/lock"
flock 9

is_schema() { [[ -f $1 && $(sha256sum <"$1" | cut -d' ' -f1) == "$schema_digest" ]]; }
schema=$peer/vcon_json_schema.json
if ! is_schema "$schema"; then
    rm -f "$schema"
    if [[ -n ${RAMAL_VCON_SCHEMA:-} ]]; then
        cp "$RAMAL_VCON_SCHEMA" "$schema.part"
    else
        curl --silent --fail --location --max-time 60 --output "$schema.part" "$schema_address" || true
    fi
    is_schema "$schema.part" ||
        missing "missing: the vCon schema of the IETF's draft ($schema_address is out of reach; name a copy with RAMAL_VCON_SCHEMA)"
    mv "$schema.part" "$schema"
fi

# A stamp is the digest of what the thing was made from, written last: no half-made peer passes for a whole one.
stamp=$(sha256sum <"$here/requirements.txt" | cut -d' ' -f1)
if [[ $(cat "$peer/stamp" 2>/dev/null) != "$stamp" ]] || ! "$peer/venv/bin/python" -c '' 2>/dev/null; then
    # Debian's own may be older than the library wants: versions that people install beside it are looked at too.
    python=
    for one in ${RAMAL_PYTHON:-python3 python3.14 python3.13 python3.12 "${HOME:-}"/.pyenv/versions/3.1[2-9]*/bin/python}; do
        if "$one" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; then
            python=$one
            break
        fi
    done
    [[ -n $python ]] || missing 'missing: Python 3.12 or newer with venv (name one with RAMAL_PYTHON)'
    say "installing into $peer/venv with $("$python" --version)"
    rm -rf "$peer/venv" "$peer/stamp"
    "$python" -m venv "$peer/venv" >&2
    # Two of its dependencies come as sources only; they are Python through and through.
    "$peer/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --requirement "$here/requirements.txt" >&2 ||
        missing 'missing: the packages of tests/vcon/requirements.txt (pip could not install them; is there a network?)'
    printf '%s\n' "$stamp" >"$peer/stamp"
fi
printf '%s\n' "$peer"
