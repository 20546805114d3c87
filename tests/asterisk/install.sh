#!/usr/bin/env bash
# Install Asterisk as a test peer: the files of Debian's package and of all that it needs, in a folder of its own that
# tests run it in by chroot. Nothing is installed into the system but the tools: mmdebstrap, and SIPp for the phones.
# Prints the folder as the last line.
#
#   tests/asterisk/install.sh bullseye   Asterisk 16, the oldest that is supported (some 40 seconds the first time)
#   tests/asterisk/install.sh sid        Asterisk 22 or newer; the suite moves, so it may be out of reach for a day
#   RAMAL_CACHE=/somewhere ...           keep it there instead of ~/.cache/ramal
#
# Exit 3: this machine lacks something, and the last line of stderr names it. Any other failure is a bug.
# Several tests may run it at once: one works, the others wait for it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
suite=${1:?which suite of Debian: bullseye or sid}
say() { printf 'asterisk peer: %s\n' "$*" >&2; }
missing() { say "$*"; exit 3; }

# === where ===

cache=${RAMAL_CACHE:-${HOME:+$HOME/.cache/ramal}}
peer=
if [[ -n $cache ]] && mkdir -p "$cache/peers/asterisk" 2>/dev/null && [[ -w $cache/peers/asterisk ]]; then
    peer=$cache/peers/asterisk
else
    peer=$here/../../target/peers/asterisk
    mkdir -p "$peer"
    peer=$(cd "$peer" && pwd)
fi
root=$peer/$suite

# The tools are the machine's own, so whoever installs them does so alone.
exec 9>"$peer/lock"
flock 9

# === what the system must have ===

[[ $EUID -eq 0 ]] || missing "missing: root (Asterisk's own files are made and entered by chroot)"
command -v apt-get >/dev/null && [[ -r /usr/share/keyrings/debian-archive-keyring.gpg ]] ||
    missing "missing: Debian (Asterisk comes from Debian's packages, and this machine has no apt-get)"

if ! command -v mmdebstrap >/dev/null || ! command -v sipp >/dev/null; then
    say "installing mmdebstrap and sip-tester with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends mmdebstrap sip-tester; } >&2 || true
fi
command -v sipp >/dev/null || missing "missing: SIPp (on Debian: apt-get install sip-tester)"
command -v mmdebstrap >/dev/null || missing "missing: mmdebstrap (on Debian: apt-get install mmdebstrap)"

# === Asterisk ===

# The mirror of the system's own suite; only the name of the suite is another.
mirror() {
    local codename
    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $codename" 'Component: main' 2>/dev/null |
        head -n 1
}

# The packages are unpacked and not set up: no script of theirs runs, and no daemon starts.
unpack() {
    local from
    from=$(mirror) && [[ -n $from ]] || return 1
    mmdebstrap --quiet --variant=extract --mode=root --include=asterisk \
        --aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
        --aptopt='Acquire::Check-Valid-Until "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
        "$suite" "$root" \
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $from $suite main" >&2 9>&-
}

# Written last: no half-made peer passes for a whole one.
stamp="asterisk of $suite, unpacked, without documentation"
if [[ $(cat "$peer/$suite.stamp" 2>/dev/null) != "$stamp" ]]; then
    say "unpacking Asterisk of Debian's suite $suite into $root"
    rm -rf "$root" "$peer/$suite.stamp"
    unpack || {
        rm -rf "$root"
        missing "missing: Debian's package asterisk of the suite $suite (it could not be fetched; is there a network?)"
    }
    # What tests write, one folder for each exchange.
    mkdir -p "$root/srv"
    chroot "$root" /usr/sbin/asterisk -V >&2 9>&- || {
        rm -rf "$root"
        missing "missing: the right to chroot, or an Asterisk of the suite $suite that starts"
    }
    printf '%s\n' "$stamp" >"$peer/$suite.stamp"
fi

printf '%s\n' "$root"
