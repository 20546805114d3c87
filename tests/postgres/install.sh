#!/usr/bin/env bash
# Install PostgreSQL's programs, for tests that start a private server. Prints their folder. An address in
# $RAMAL_TEST_POSTGRES_URL takes their place.
set -euo pipefail

if [[ -n ${RAMAL_TEST_POSTGRES_URL:-} ]]; then
    echo 'the server of RAMAL_TEST_POSTGRES_URL'
    exit 0
fi

# The newest of version 15 or later, where Debian puts them.
newest() {
    local found='' program version
    for program in /usr/lib/postgresql/*/bin/postgres; do
        version=$(basename "${program%/bin/postgres}")
        [[ -x $program && $version =~ ^[0-9]+$ && $version -ge 15 && $version -gt ${found:-0} ]] && found=$version
    done
    [[ -n $found ]] && echo "/usr/lib/postgresql/$found/bin"
}

if ! newest >/dev/null && [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
    echo 'installing postgresql with apt-get' >&2
    # Only the programs are wanted, not a server of the machine's own.
    mkdir -p /etc/postgresql-common
    [[ -e /etc/postgresql-common/createcluster.conf ]] ||
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql; } >&2 || true
fi

newest || {
    echo 'PostgreSQL 15 or later is not installed: install Debian'"'"'s package postgresql, or set RAMAL_TEST_POSTGRES_URL' >&2
    exit 3
}
