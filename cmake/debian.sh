# shellcheck shell=bash
# What the scripts of examples/, tests/ and bench/ share: installing what is missing on Debian and Ubuntu,
# building with little noise, and a redis-server of one's own. To be sourced by bash.
#
# All messages go to standard error, so that standard output is the program's alone.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

die() {
  say "$(basename "$0"): $*"
  exit 1
}

# --- cleaning up ---------------------------------------------------------------------------------

cleanups=() # commands, run in reverse order however the script ends

clean_up() {
  local -i i
  for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do eval "${cleanups[i]}"; done
  cleanups=()
}

trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

scratch=$(mktemp -d)
cleanups+=("rm -rf '$scratch'")

# --- progress ------------------------------------------------------------------------------------

# show_progress LOG: writes standard input to LOG and shows that something moves: on a terminal the
# newest line, over the one before; elsewhere one line in 20 seconds.
show_progress() {
  local line
  local -i next=$((SECONDS + 20))
  : >"$1"
  while IFS= read -r line || [[ -n $line ]]; do
    printf '%s\n' "$line" >>"$1"
    if [[ -t 2 ]]; then
      printf '\r\033[K  %.76s' "$line" >&2
    elif ((SECONDS >= next)); then
      printf '  %.100s\n' "$line" >&2
      next=$((SECONDS + 20))
    fi
  done
  if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
}

# watch LOG COMMAND...: runs the command and shows progress; its output goes to LOG.
watch() {
  local log=$1
  shift
  "$@" </dev/null 2>&1 | show_progress "$log"
}

# quietly WHAT COMMAND...: runs the command and shows progress; where it fails, also what it said.
quietly() {
  local what=$1 status=0
  shift
  watch "$scratch/quietly" "$@" || status=$?
  if ((status)); then
    grep -vE '^\[([0-9]+/[0-9]+|done)\] ' "$scratch/quietly" | tail -n 100 >&2 || true
    say "$what failed"
  fi
  return "$status"
}

# --- packages ------------------------------------------------------------------------------------

missing=() # names of packages

need_command() { # COMMAND PACKAGE
  command -v "$1" >/dev/null || missing+=("$2")
}

need_header() { # HEADER PACKAGE
  [[ -e /usr/include/$1 || -e /usr/local/include/$1 ]] && return
  printf '#include <%s>\n' "$1" | "${CXX:-c++}" -E -x c++ - >/dev/null 2>&1 || missing+=("$2")
}

need_file() { # GLOB PACKAGE
  compgen -G "$1" >/dev/null || missing+=("$2")
}

apt_as_root() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -o Dpkg::Use-Pty=0 \
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@"
}

# Debian starts what it installs, and again at each boot. Whoever runs a script of ours did not ask for a
# service, so while packages are installed none may start, and none is left switched on.
forbid_services() {
  [[ -e /usr/sbin/policy-rc.d ]] && return
  printf '#!/bin/sh\n# Temporary, by %s: start no service now.\nexit 101\n' "$0" >"$scratch/policy-rc.d"
  cleanups+=("${as_root[*]} rm -f /usr/sbin/policy-rc.d")
  "${as_root[@]}" install -m 755 "$scratch/policy-rc.d" /usr/sbin/policy-rc.d
}

allow_services() {
  if [[ -d /run/systemd/system && " $* " == *" redis-server "* ]]; then
    "${as_root[@]}" systemctl --quiet disable --now redis-server >/dev/null 2>&1 || true
  fi
  if [[ -e $scratch/policy-rc.d ]]; then
    "${as_root[@]}" rm -f /usr/sbin/policy-rc.d
    unset 'cleanups[-1]'
  fi
}

become_root() { # PACKAGE...: sets as_root, or says what to install
  local how="apt-get install --no-install-recommends $*"
  as_root=()
  if ! grep -qsE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release || ! command -v apt-get >/dev/null; then
    die "please install these first (their names on Debian): $*"
  fi
  ((EUID == 0)) && return
  command -v sudo >/dev/null || die "please install what is missing first, as root: $how"
  as_root=(sudo)
  sudo true || die "please install what is missing first: sudo $how"
}

# What any build of ours takes, by $CXX.
need_build_tools() {
  need_command cmake cmake
  need_command ninja ninja-build
  need_command "${CXX:-c++}" g++
}

# install_missing: installs what need_command, need_header and need_file found to be missing.
install_missing() {
  ((${#missing[@]})) || return 0
  local -a as_root packages
  local -i attempt
  mapfile -t packages < <(printf '%s\n' "${missing[@]}" | sort -u)
  missing=()
  become_root "${packages[@]}"
  say "Installing ${packages[*]}"
  forbid_services
  for attempt in 1 2 3; do
    watch "$scratch/apt" apt_as_root install --no-install-recommends "${packages[@]}" && break
    if ((attempt == 3)); then
      tail -n 20 "$scratch/apt" >&2
      die "cannot install ${packages[*]}"
    fi
    # The package lists are missing or out of date, or the network failed.
    ((attempt == 1)) || sleep 5
    say "Updating the package lists"
    watch "$scratch/update" apt_as_root update || true
  done
  allow_services "${packages[@]}"
}

# check_cmake: says which systems have one that is new enough.
check_cmake() {
  local version
  version=$(cmake --version | sed -n '1s/.* //p')
  if [[ $(printf '%s\n' 3.25 "$version" | sort -V | head -n 1) != 3.25 ]]; then
    die "CMake 3.25 or later is needed (Debian 12, Ubuntu 24.04); this is $version"
  fi
}

# --- building ------------------------------------------------------------------------------------

launcher=() # what builds run under

# configure DIRECTORY OPTION...: a build directory that an earlier run, or another place, left unusable is
# made anew.
configure() {
  local -a arguments=(-G Ninja -S "$repo" -B "$@")
  if command -v ccache >/dev/null; then
    # It keeps nothing that was compiled with precompiled headers, unless told to be careless.
    arguments+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON)
  fi
  cmake "${arguments[@]}" </dev/null >"$scratch/cmake" 2>&1 ||
    quietly "cmake" cmake --fresh "${arguments[@]}"
}

build() { # DIRECTORY [--target TARGET]
  quietly "the build" "${launcher[@]}" env NINJA_STATUS='[%f/%t] ' cmake --build "$@"
}

# --- Redis ---------------------------------------------------------------------------------------

# start_redis: starts redis-server, or what RATELIMIT_REDIS_SERVER names, on a free loopback port, keeping
# nothing, until the script ends. Sets redis_port.
start_redis() {
  local server=${RATELIMIT_REDIS_SERVER:-redis-server}
  local -i attempt tick
  for attempt in {1..20}; do
    redis_port=$((10000 + RANDOM % 20000)) # below the ports that the system hands out
    "$server" --bind 127.0.0.1 --port "$redis_port" --save '' --appendonly no --dir "$scratch" \
      </dev/null >"$scratch/redis" 2>&1 &
    redis_pid=$!
    cleanups+=("kill $redis_pid 2>/dev/null && wait $redis_pid || true")
    for ((tick = 0; tick < 200; tick++)); do
      # Another server may have had the port: only ours has this process id.
      if redis-cli -h 127.0.0.1 -p "$redis_port" info server 2>/dev/null |
        grep -q "^process_id:$redis_pid"$'\r'; then
        return
      fi
      kill -0 "$redis_pid" 2>/dev/null || break
      sleep 0.05
    done
  done
  tail -n 20 "$scratch/redis" >&2
  die "$server does not start"
}
