#!/usr/bin/env bash
# Install the Odoo test peer: Odoo's own code, a Python venv and a dump of a template database, kept outside the work
# tree where possible and made once. Prints the folder that holds them as the last line.
#
#   tests/odoo/install.sh            install what is missing (some four minutes the first time)
#   RAMAL_CACHE=/somewhere ...       keep it there instead of ~/.cache/ramal
#   RAMAL_PYTHON=/path/to/python3    use this interpreter, 3.11 to 3.13
#
# Odoo 19 is packed by Debian's development suite only. Its package is read through a private apt folder, which takes the
# mirror from what apt is configured with already; the system's own sources stay as they are, and nothing is installed
# into the system but PostgreSQL.
#
# Exit 3: this machine lacks something, and the last line of stderr names it. Any other failure is a bug.
# Several tests may run it at once: one works, the others wait for it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf 'odoo peer: %s\n' "$*" >&2; }
missing() { say "$*"; exit 3; }

# === where ===

cache=${RAMAL_CACHE:-${HOME:+$HOME/.cache/ramal}}
peer=
if [[ -n $cache ]] && mkdir -p "$cache/peers/odoo-19" 2>/dev/null && [[ -w $cache/peers/odoo-19 ]]; then
    peer=$cache/peers/odoo-19
else
    peer=$here/../../target/peers/odoo-19
    mkdir -p "$peer"
    peer=$(cd "$peer" && pwd)
fi

exec 9>"$peer/lock"
flock 9

# A stamp is the digest of what the thing was made from, written last: no half-made peer passes for a whole one.
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }
code_stamp='odoo-19 without translations and local accounting'
venv_stamp=$(digest "$here/requirements.txt")
template_stamp=$(digest "$here/requirements.txt" "$here/seed.py" "$here/install.sh")

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

if ! find_postgres >/dev/null && [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
    say "installing PostgreSQL with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql; } >&2 || true
fi
postgres=$(find_postgres) || missing "missing: PostgreSQL 15 or newer (on Debian: apt-get install postgresql)"

# === Odoo's code ===

# The mirror of the system's own suite; only the name of the suite is another.
mirror() {
    local suite
    suite=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" 'Component: main' 2>/dev/null |
        head -n 1
}

# Translations and the local accounting of some hundred countries are three quarters of the package.
unpack_code() {
    local work mirror options
    mirror=$(mirror) && [[ -n $mirror ]] || return 1
    work=$(mktemp -d)
    trap 'rm -rf "'"$work"'"' EXIT
    mkdir -p "$work"/{lists/partial,cache/archives/partial}
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s sid main\n' "$mirror" >"$work/sources.list"
    options=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
    cd "$work"
    apt-get "${options[@]}" update -qq >&2 && apt-get "${options[@]}" download -qq odoo-19 >&2 || return 1
    mkdir -p "$peer/code"
    dpkg-deb --fsys-tarfile "$work"/odoo-19_*.deb |
        tar -x -C "$peer/code" --exclude='*/i18n' --exclude='*/addons/l10n_*' --strip-components 5 \
            --wildcards './usr/lib/python3/dist-packages/*'
}

if [[ $(cat "$peer/code.stamp" 2>/dev/null) != "$code_stamp" ]]; then
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null &&
        [[ -r /usr/share/keyrings/debian-archive-keyring.gpg ]] ||
        missing "missing: Odoo 19 (it is unpacked from Debian's package, and this machine has no apt-get)"
    say "unpacking Odoo 19 into $peer/code"
    rm -rf "$peer/code" "$peer/code.stamp"
    (unpack_code) || missing "missing: Debian's package odoo-19 of the suite sid (apt-get could not fetch it; is there a network?)"
    printf '%s\n' "$code_stamp" >"$peer/code.stamp"
fi

# === the venv ===

usable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

find_python() {
    local candidate
    for candidate in ${RAMAL_PYTHON:+"$RAMAL_PYTHON"} python3.11 python3 python3.13 python3.12; do
        if usable "$candidate"; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

if [[ $(cat "$peer/venv.stamp" 2>/dev/null) != "$venv_stamp" ]] || ! "$peer/venv/bin/python" -c '' 2>/dev/null; then
    python=$(find_python) || missing "missing: Python 3.11, 3.12 or 3.13 with venv (name one with RAMAL_PYTHON)"
    say "installing into $peer/venv with $("$python" --version)"
    rm -rf "$peer/venv" "$peer/venv.stamp"
    "$python" -m venv "$peer/venv" >&2
    "$peer/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --only-binary :all: --requirement "$here/requirements.txt" >&2 ||
        missing "missing: the packages of tests/odoo/requirements.txt (pip could not install them; is there a network?)"
    printf '%s\n' "$venv_stamp" >"$peer/venv.stamp"
fi

# === the template database ===

# A cluster of its own for a few minutes, in a folder that goes again. PostgreSQL refuses root.
make_template() {
    local work data port unprivileged=()
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
    trap 'as_server "$postgres/pg_ctl" --pgdata "'"$data"'" --silent --mode immediate stop >&2 || true; rm -rf "'"$work"'"' EXIT

    local connection=(--no-psqlrc --quiet --host 127.0.0.1 --port "$port" --username postgres --dbname postgres)
    PGPASSWORD=postgres-test-only "$postgres/psql" "${connection[@]}" \
        --command "CREATE ROLE odoo LOGIN CREATEDB PASSWORD 'odoo-test-only'"
    cat >"$work/odoo.conf" <<CONF
[options]
db_host = 127.0.0.1
db_port = $port
db_user = odoo
db_password = odoo-test-only
data_dir = $work/files
list_db = False
max_cron_threads = 0
http_interface = 127.0.0.1
CONF
    odoo() {
        # Odoo takes PGPASSWORD over its own configuration.
        env -u PGPASSWORD -u PGHOST -u PGPORT -u PGUSER -u ODOO_RC PYTHONPATH="$peer/code" \
            "$peer/venv/bin/python" -W ignore -m odoo "$@" --log-level=warn
    }
    odoo -c "$work/odoo.conf" -d crm -i crm --stop-after-init --without-demo --no-http >&2
    SEEDS=$peer/template/peer.json odoo shell -c "$work/odoo.conf" -d crm --no-http <"$here/seed.py" >&2
    [[ -s $peer/template/peer.json ]] || { say "the seeds were not written"; return 1; }
    PGPASSWORD=postgres-test-only "$postgres/pg_dump" --host 127.0.0.1 --port "$port" --username postgres \
        --format custom --dbname crm --file "$peer/template/crm.dump"
}

if [[ $(cat "$peer/template.stamp" 2>/dev/null) != "$template_stamp" ]]; then
    say "making the template database"
    rm -rf "$peer/template" "$peer/template.stamp"
    mkdir -p "$peer/template"
    (make_template)
    printf '%s\n' "$template_stamp" >"$peer/template.stamp"
fi

printf '%s\n' "$peer"
