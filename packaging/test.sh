#!/usr/bin/env bash
# Installs what the tests need, builds everything and runs every test. See --help.
set -euo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

usage() {
  cat <<'TEXT'
usage: packaging/test.sh [--werror] [--suite NAME]... [ARGS...]

Installs what is missing with apt-get (as root, or with sudo), builds a release with all tests in
build/ and runs them. The last line is "N passed, N failed", test cases counted; the exit code is 0
if none failed and at least one ran.

  --werror      a compiler warning is an error
  --suite NAME  only this suite: unit, conformance, sim, system, tidy, ... (may be repeated)
  ARGS          go to tests/run_all.py, and names of tests from there to `meson test`
TEXT
}

options=(-Dtests=true)
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    --werror) options+=(-Dwerror=true) ;;
    *) break ;;
  esac
  shift
done

install_missing build test
configure build "${options[@]}"
build build
exec /usr/bin/python3 "$root/tests/run_all.py" --build-dir "$root/build" "$@"
