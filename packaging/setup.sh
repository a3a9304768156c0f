# Sourced by run.sh, test.sh and .ci/run: install, configure, build. Needs bash; sets `root`.
# Every step says what it does in one line on stderr, and only when it does something.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Where ccache is installed, a file that it does not know is not preprocessed first: it costs nothing.
export CCACHE_DEPEND=1

say() { printf 'stompbox: %s\n' "$*" >&2; }

fail() {
  say "error: $*"
  exit 1
}

# run_quietly COMMAND...: the last lines of its output are shown, and only if it fails.
run_quietly() {
  local log
  log=$(mktemp)
  if "$@" >"$log" 2>&1 </dev/null; then
    rm -f "$log"
    return 0
  fi
  tail -n 40 "$log" >&2
  rm -f "$log"
  return 1
}

# packages_in LIST...: the names in packaging/packages/LIST.txt.
packages_in() {
  local list
  for list in "$@"; do
    sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$root/packaging/packages/$list.txt"
  done
}

# is_installed PACKAGE: itself, or another that provides it (NodeSource's nodejs has npm in it).
is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | sort -u)" = installed ] ||
    dpkg-query -W -f '${db:Status-Status}, ${Provides},\n' | grep "^installed,.* $1," >/dev/null
}

# install_missing LIST...: nothing missing, apt-get is not called.
install_missing() {
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    fail "this script installs what it needs with Debian's apt-get, which is not here: install" \
      "the packages named in packaging/packages/ your system's way and build with" \
      "'meson setup build && ninja -C build stompbox'."
  local missing=() package as_root=()
  for package in $(packages_in "$@"); do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      fail "packages are missing and neither root nor sudo is at hand: as root, run" \
        "'apt-get install ${missing[*]}' and start this script again."
    as_root=(sudo)
  fi
  say "installing ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq
    -o DPkg::Lock::Timeout=300)
  run_quietly "${apt[@]}" update ||
    fail "'apt-get update' failed: see to the network and /etc/apt/sources.list, then try again."
  run_quietly "${apt[@]}" install -y --no-install-recommends "${missing[@]}" ||
    fail "'apt-get install ${missing[*]}' failed: the lines above say why."
}

# has_options FOLDER -Dname=value...: the build folder has all these options already.
has_options() {
  meson introspect --buildoptions "$root/$1" | /usr/bin/python3 -c '
import json, sys
def text(value):
    return " ".join(value) if isinstance(value, list) else str(value).lower()
have = {option["name"]: text(option["value"]) for option in json.load(sys.stdin)}
wanted = [argument.removeprefix("-D").split("=", 1) for argument in sys.argv[1:]]
sys.exit(any(have.get(name) != value for name, value in wanted))' "${@:2}"
}

# configure FOLDER -Dname=value...: sets a build folder up, or gives these options to one that is.
configure() {
  local folder=$1
  shift
  if [ ! -e "$root/$folder/build.ninja" ]; then
    say "configuring $folder/"
    run_quietly meson setup "$@" "$root/$folder" "$root" ||
      fail "meson cannot configure $folder/: the lines above say why; 'rm -r $folder' starts anew."
  elif ! has_options "$folder" "$@"; then
    say "configuring $folder/ anew with $*"
    run_quietly meson configure "$root/$folder" "$@" ||
      fail "meson cannot configure $folder/: 'rm -r $folder' starts anew."
  fi
}

# build FOLDER TARGET...: no target means all of them.
build() {
  local folder=$1 quiet=()
  shift
  if ninja -C "$root/$folder" -n "$@" 2>/dev/null | grep -q 'no work to do'; then
    return 0
  fi
  say "building $folder/${*:+ ($*)}"
  [ -t 2 ] || quiet=(--quiet)
  ninja -C "$root/$folder" "${quiet[@]}" "$@" >&2 ||
    fail "the build in $folder/ failed: the compiler's lines above say where."
}
