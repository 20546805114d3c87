#!/usr/bin/env bash
# Install gammu-smsd, a real daemon for short messages that has a modem of its own making ("dummy"). Prints the folder of
# its program. Tests start it as a child, with folders of their own; the machine's service is not started.
#
# Exit 3: this machine lacks something, and the last line of stderr names it.
set -euo pipefail

if ! command -v gammu-smsd >/dev/null && [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null; then
    echo 'installing gammu-smsd with apt-get' >&2
    # In runlevel 1 no package starts a service.
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends gammu gammu-smsd; } >&2 || true
fi

command -v gammu-smsd >/dev/null || {
    echo 'gammu-smsd is not installed: install Debian'"'"'s packages gammu and gammu-smsd' >&2
    exit 3
}
dirname "$(command -v gammu-smsd)"
