#!/usr/bin/env bash
# Install the Tryton test peer: a Python venv and a template database, both kept outside the work tree
# where possible and made once. Prints the folder that holds them as the last line.
#
#   tests/tryton/install.sh          install what is missing (about a minute the first time)
#   RAMAL_CACHE=/somewhere ...       keep it there instead of ~/.cache/ramal
#   RAMAL_PYTHON=/path/to/python3    use this interpreter
#
# Exit 3: this machine lacks something, and the last line of stderr names it. Any other failure is a bug.
# Several tests may run it at once: one works, the others wait for it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf 'tryton peer: %s\n' "$*" >&2; }
missing() { say "$*"; exit 3; }

# === where ===

cache=${RAMAL_CACHE:-${HOME:+$HOME/.cache/ramal}}
peer=
if [[ -n $cache ]] && mkdir -p "$cache/peers/tryton-8.2" 2>/dev/null && [[ -w $cache/peers/tryton-8.2 ]]; then
    peer=$cache/peers/tryton-8.2
else
    peer=$here/../../target/peers/tryton-8.2
    mkdir -p "$peer"
    peer=$(cd "$peer" && pwd)
fi

exec 9>"$peer/lock"
flock 9

# A stamp is the digest of what the thing was made from, written last: no half-made peer passes for a whole one.
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }
venv_stamp=$(digest "$here/requirements.txt")
template_stamp=$(digest "$here/requirements.txt" "$here/seed.py")

# === the venv ===

usable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    local candidate
    for candidate in ${RAMAL_PYTHON:+"$RAMAL_PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
        if usable "$candidate"; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

if [[ $(cat "$peer/venv.stamp" 2>/dev/null) != "$venv_stamp" ]] || ! "$peer/venv/bin/python" -c '' 2>/dev/null; then
    if ! python=$(find_python) && [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
        say "installing python3-venv with apt-get"
        apt-get install -y --no-install-recommends python3 python3-venv >&2 || true
    fi
    python=$(find_python) ||
        missing "missing: Python 3.11 or newer with venv (on Debian: apt-get install python3-venv)"
    say "installing into $peer/venv with $("$python" --version)"
    rm -rf "$peer/venv" "$peer/venv.stamp" "$peer/template.stamp"
    "$python" -m venv "$peer/venv" >&2
    "$peer/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --only-binary :all: --requirement "$here/requirements.txt" >&2 ||
        missing "missing: the packages of tests/tryton/requirements.txt (pip could not install them; is there a network?)"
    printf '%s\n' "$venv_stamp" >"$peer/venv.stamp"
fi

# === the template database ===

if [[ $(cat "$peer/template.stamp" 2>/dev/null) != "$template_stamp" ]]; then
    say "making the template database"
    rm -rf "$peer/template" "$peer/template.stamp"
    mkdir -p "$peer/template"
    : >"$peer/template/crm.sqlite"
    cat >"$peer/template/trytond.conf" <<CONF
[database]
uri = sqlite://
path = $peer/template
CONF
    # Made-up: the database holds invented people and listens on loopback for the length of a test.
    printf 'adm1n-test-only\n' >"$peer/template/admin-password"
    TRYTONPASSFILE=$peer/template/admin-password "$peer/venv/bin/python" -W ignore -m trytond.cli.admin \
        --config "$peer/template/trytond.conf" --database crm --email admin@example.invalid --language pt \
        --activate-dependencies --update party sale_opportunity >&2
    "$peer/venv/bin/python" -W ignore "$here/seed.py" "$peer/template/trytond.conf" crm \
        "$(cat "$peer/template/admin-password")" "$peer/template/peer.json" >&2
    printf '%s\n' "$template_stamp" >"$peer/template.stamp"
fi

printf '%s\n' "$peer"
