#!/usr/bin/env bash
# Install the BottleCRM test peer: a Python venv and a dump of a template database, both kept outside the work tree
# where possible and made once. Prints the folder that holds them as the last line.
#
#   tests/bottlecrm/install.sh       install what is missing (some six minutes the first time)
#   RAMAL_CACHE=/somewhere ...       keep it there instead of ~/.cache/ramal
#   RAMAL_PYTHON=/path/to/python3    use this interpreter, 3.12 or newer
#
# Exit 3: this machine lacks something, and the last line of stderr names it. Any other failure is a bug.
# Several tests may run it at once: one works, the others wait for it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf 'bottlecrm peer: %s\n' "$*" >&2; }
missing() { say "$*"; exit 3; }

# === where ===

cache=${RAMAL_CACHE:-${HOME:+$HOME/.cache/ramal}}
peer=
if [[ -n $cache ]] && mkdir -p "$cache/peers/bottlecrm-1.35" 2>/dev/null && [[ -w $cache/peers/bottlecrm-1.35 ]]; then
    peer=$cache/peers/bottlecrm-1.35
else
    peer=$here/../../target/peers/bottlecrm-1.35
    mkdir -p "$peer"
    peer=$(cd "$peer" && pwd)
fi

exec 9>"$peer/lock"
flock 9

# A stamp is the digest of what the thing was made from, written last: no half-made peer passes for a whole one.
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }
venv_stamp=$(digest "$here/requirements.txt")
template_stamp=$(digest "$here/requirements.txt" "$here/seed.py")

# === what the system must have ===

# Debian keeps PostgreSQL's server off the path, one folder for each major version; the newest from 15 on.
find_postgres() {
    local folder newest=
    for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V); do
        if [[ -x $folder/initdb && $(basename "$(dirname "$folder")") -ge 15 ]] 2>/dev/null; then newest=$folder; fi
    done
    [[ -n $newest ]] || newest=$(dirname "$(command -v initdb 2>/dev/null || true)")
    [[ -x $newest/initdb && -x $newest/pg_dump ]] && printf '%s\n' "$newest"
}

has_libraries() { ldconfig -p 2>/dev/null | grep -q 'libpangoft2-1.0.so.0'; }

if { ! find_postgres || ! command -v redis-server || ! has_libraries; } >/dev/null &&
    [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
    say "installing PostgreSQL, Redis and Pango with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends \
        postgresql redis-server libpango-1.0-0 libpangocairo-1.0-0 libpangoft2-1.0-0 libcairo2; } >&2 || true
fi
postgres=$(find_postgres) || missing "missing: PostgreSQL 15 or newer (on Debian: apt-get install postgresql)"
command -v redis-server >/dev/null || missing "missing: Redis (on Debian: apt-get install redis-server)"

# === the venv ===

usable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1
}

# By name, then what pyenv keeps: its shims name versions that are not switched on.
find_python() {
    local candidate version
    for candidate in ${RAMAL_PYTHON:+"$RAMAL_PYTHON"} python3 python3.14 python3.13 python3.12; do
        if usable "$candidate"; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    if command -v pyenv >/dev/null; then
        for version in $(pyenv versions --bare 2>/dev/null | sort -rV); do
            candidate=$(pyenv prefix "$version" 2>/dev/null)/bin/python3
            if usable "$candidate"; then
                printf '%s\n' "$candidate"
                return 0
            fi
        done
    fi
    return 1
}

if [[ $(cat "$peer/venv.stamp" 2>/dev/null) != "$venv_stamp" ]] || ! "$peer/venv/bin/python" -c '' 2>/dev/null; then
    python=$(find_python) || missing "missing: Python 3.12 or newer with venv (name one with RAMAL_PYTHON)"
    say "installing into $peer/venv with $("$python" --version)"
    rm -rf "$peer/venv" "$peer/venv.stamp"
    "$python" -m venv "$peer/venv" >&2
    "$peer/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --only-binary :all: --requirement "$here/requirements.txt" >&2 ||
        missing "missing: the packages of tests/bottlecrm/requirements.txt (pip could not install them; is there a network?)"
    "$peer/venv/bin/python" -W ignore -c 'import weasyprint' >/dev/null 2>&1 ||
        missing "missing: the library Pango (on Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0)"
    printf '%s\n' "$venv_stamp" >"$peer/venv.stamp"
fi

# === the template database ===

# A cluster of its own for a few minutes, in a folder that goes again. PostgreSQL refuses root.
make_template() {
    # Not local: the trap needs them when this function is over. It runs in a shell of its own.
    unprivileged=()
    work=$(mktemp -d)
    data=$work/data
    if [[ $EUID -eq 0 ]]; then
        id postgres >/dev/null 2>&1 || missing "missing: the user postgres, since PostgreSQL does not run as root"
        unprivileged=(setpriv --reuid=postgres --regid=postgres --clear-groups --)
        chown postgres "$work"
    fi
    as_server() { (cd / && "${unprivileged[@]}" "$@"); }
    # Made-up: the cluster listens on loopback and is gone after the template was made.
    printf 'postgres-test-only\n' >"$work/password"
    chmod 644 "$work/password"
    as_server "$postgres/initdb" --pgdata "$data" --auth scram-sha-256 --username postgres \
        --pwfile "$work/password" --encoding UTF8 --locale C.UTF-8 --no-sync >/dev/null
    port=$("$peer/venv/bin/python" -c \
        'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    as_server "$postgres/pg_ctl" --pgdata "$data" --log "$work/log" --silent --wait \
        --options "-p $port -k $work -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off" start 9>&- ||
        { cat "$work/log" >&2; return 1; }
    # Also where something below fails.
    trap 'as_server "$postgres/pg_ctl" --pgdata "$data" --silent --mode immediate stop >&2 || true; rm -rf "$work"' EXIT

    export PGHOST=127.0.0.1 PGPORT=$port PGUSER=postgres PGPASSWORD=postgres-test-only
    # A superuser would pass by the rules that keep companies apart.
    "$postgres/psql" --no-psqlrc --quiet --dbname postgres \
        --command "CREATE ROLE crm_app LOGIN PASSWORD 'crm-app-test-only' NOSUPERUSER" \
        --command 'CREATE DATABASE bottlecrm OWNER crm_app'
    (
        cd "$work"
        export DJANGO_SETTINGS_MODULE=crm.settings ENV_TYPE=dev DEBUG=False ALLOWED_HOSTS=127.0.0.1 \
            SECRET_KEY=made-up-and-only-for-tests-0123456789abcdef \
            DBNAME=bottlecrm DBUSER=crm_app DBPASSWORD=crm-app-test-only DBHOST=127.0.0.1 DBPORT="$port"
        django=("$peer/venv/bin/python" -W ignore -m django)
        # It speaks of every table, and of those that are not there yet.
        "${django[@]}" migrate --verbosity 0 >"$work/migrate.log" 2>&1 || { tail -n 40 "$work/migrate.log" >&2; exit 1; }
        "${django[@]}" manage_rls --verify-user >&2
        "$peer/venv/bin/python" -W ignore "$here/seed.py" "$peer/template/peer.json" >&2
        # What the vendor says of the interface; the tests hold the plugin's requests against it.
        "${django[@]}" spectacular --format openapi-json --file "$peer/template/openapi.json" >"$work/openapi.log" 2>&1 ||
            { tail -n 40 "$work/openapi.log" >&2; exit 1; }
    )
    "$postgres/pg_dump" --format custom --dbname bottlecrm --file "$peer/template/bottlecrm.dump"
}

if [[ $(cat "$peer/template.stamp" 2>/dev/null) != "$template_stamp" ]]; then
    say "making the template database (some four minutes)"
    rm -rf "$peer/template" "$peer/template.stamp"
    mkdir -p "$peer/template"
    (make_template)
    printf '%s\n' "$template_stamp" >"$peer/template.stamp"
fi

printf '%s\n' "$peer"
