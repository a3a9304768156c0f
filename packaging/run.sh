#!/usr/bin/env bash
# Builds the appliance if need be and runs it in the foreground. See --help.
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

usage() {
  cat <<'TEXT'
usage: packaging/run.sh [ARGS...]

Installs what is missing with apt-get (as root, or with sudo), builds a release in build/ and runs
  build/stompbox serve ARGS...
in the foreground. A second call installs nothing and builds only what has changed.

The data folder is var/ in the repository, wherever you call this from, unless ARGS name another
one (--data DIR, --config FILE) or none (--ephemeral).

All options of the program: build/stompbox serve --help
TEXT
}

# True if the arguments say themselves where the data is.
names_data() {
  local arg
  for arg in "$@"; do
    case $arg in
      --data | --data=* | --config | --config=* | --ephemeral | --ephemeral=*) return 0 ;;
    esac
  done
  return 1
}

case ${1-} in
  -h | --help)
    usage
    exit 0
    ;;
esac

install_missing build
[ -e "$root/build/build.ninja" ] || configure build -Dtests=false
build build stompbox
names_data "$@" || set -- --data "$root/var" "$@"
exec "$root/build/stompbox" serve "$@"
