#!/usr/bin/env bash
# Install every real server that the tests talk to, into $RAMAL_CACHE (else ~/.cache/ramal). Called by `make test`.
#
# A peer that cannot be had on this machine is named and skipped; where CI is set it is a failure, because a
# suite that skips its only proof and stays green would prove nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The name of a peer, and the script that installs it, with its arguments. It prints the peer's folder as the last line;
# its exit status 3 means that the machine lacks something, and the last line of its stderr says what. A third word,
# `optional`: it may be out of reach of a build server too; then it is skipped there as it is here, and said so.
peers=(
    'PostgreSQL|postgres/install.sh'
    'Tryton|tryton/install.sh'
    'BottleCRM|bottlecrm/install.sh'
    # From a suite of Debian that moves.
    'Odoo|odoo/install.sh|optional'
    'oidc-provider|oidc/install.sh'
    'webhook receiver|webhooks/install.sh'
    'Asterisk 16|asterisk/install.sh bullseye'
    # From a suite of Debian that moves.
    'Asterisk 22|asterisk/install.sh sid|optional'
    'Twilio libraries|twilio/install.sh'
    'pywa|whatsapp/install.sh'
    'browser|panel/install.sh'
    'gammu-smsd|gammu/install.sh'
    # A schema from the IETF's repository and a Python that not every system has.
    'vCon checkers|vcon/install.sh|optional'
)

# Python peers need venv and pip. Debian packs them apart, and a bare machine's list of packages is empty.
if ! python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 &&
    [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
    echo 'peers: installing python3-venv with apt-get'
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 python3-venv ca-certificates; } ||
        echo 'peers: apt-get could not install python3-venv; going on with what there is'
fi

failed=0
words=$(mktemp)
trap 'rm -f "$words"' EXIT
for peer in "${peers[@]}"; do
    IFS='|' read -r name script need <<<"$peer"
    SECONDS=0
    status=0
    read -ra command <<<"$script"
    folder=$("${command[@]}" 2>"$words") || status=$?
    reason=$(tail -n 1 "$words")
    case $status in
    0) printf 'peers: %s is in %s (%d s)\n' "$name" "$(tail -n 1 <<<"$folder")" "$SECONDS" ;;
    3)
        printf 'peers: SKIPPED %s; %s\n' "$name" "${reason:-its script did not say what is missing}"
        [[ -z ${CI:-} || $need == optional ]] || failed=1
        ;;
    *)
        cat "$words"
        printf 'peers: FAILED %s: %s ended with status %d\n' "$name" "$script" "$status"
        failed=1
        ;;
    esac
done
[[ $failed -eq 0 || -z ${CI:-} ]] || echo 'peers: a peer is required where CI is set'
exit "$failed"
