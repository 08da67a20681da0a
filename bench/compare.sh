#!/usr/bin/env bash
# shellcheck disable=SC2317  # what builds is called by its name
# Installs what is missing (Debian or Ubuntu), builds the library and what others offer in
# build/compare, and runs them in turn: what does a decision in memory, or on Redis, cost with each?
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail

usage() {
  cat <<EOF
usage: bench/compare.sh [--redis] [--rounds N]

Prints nanoseconds a decision, the median of N rounds (5), for one hot key, for
1,000 and for 1,000,000 that come evenly, and how many times those of this library:
limiters in C++ as one would write them at home (bench/rivals.hpp), and x/time/rate
of Go, Guava's RateLimiter, and rate-limiter-flexible on Node. One of these that
cannot be had here has a row that says so. Takes about three minutes.

With --redis: microseconds a decision on one redis-server by TCP with 64 callers
that wait, and what half and 99 % of them wait at most, beside rate-limiter-flexible
with ioredis on Node and limits for Python; then what a decision costs the server,
beside the scripts of rate-limiter-flexible and redis_rate. Takes two minutes.
EOF
}

# What is measured is the same for all. Each limiter runs in a process of its own, in one thread,
# and allows every call; where it denies one, it fails. A process prints a line for each set of
# keys: its name and ns a decision, over half a second of decisions after a warm-up. Keys of 21
# characters are drawn 256 at a time, and copied to new strings as if just read from a request,
# before the clock is started: what is compared is the decision.
#
# compare_redis.sh says what is different on Redis.

here=$(dirname "${BASH_SOURCE[0]}")
rounds=5
place=memory # or redis
while (($#)); do
  case $1 in
    -h | --help)
      usage
      exit
      ;;
    --redis) place=redis ;;
    --rounds)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || { usage >&2 && exit 2; }
      rounds=$2
      shift
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
  shift
done

# shellcheck source-path=SCRIPTDIR source=../cmake/debian.sh
. "$here/../cmake/debian.sh"

readonly directory=$repo/build/compare
readonly rivals=$repo/bench/rivals
readonly guava=/usr/share/java/guava.jar
readonly flexible=rate-limiter-flexible@7.4.0

# --- building ------------------------------------------------------------------------------------

build_ours() { # DIRECTORY REDIS TARGET...
  need_build_tools
  need_header benchmark/benchmark.h libbenchmark-dev
  install_missing
  check_cmake
  configure "$1" -DCMAKE_BUILD_TYPE=Release -DRATELIMIT_REDIS="$2" -DRATELIMIT_BENCH=ON \
    -DRATELIMIT_TESTS=OFF -DRATELIMIT_EXAMPLES=OFF -DRATELIMIT_INSTALL=OFF
  build "$1" --target "${@:3}"
}

build_go() {
  need_command go golang-go
  need_file /usr/share/gocode/src/golang.org/x/time/rate/rate.go golang-golang-x-time-dev
  install_missing
  quietly "go build" env -u GOFLAGS GO111MODULE=off GOPATH=/usr/share/gocode \
    GOCACHE="$directory/go-cache" go build -o "$directory/go_round" "$rivals/go/main.go"
}

build_java() {
  need_command javac default-jdk-headless
  need_file "$guava" libguava-java
  install_missing
  quietly "javac" javac -Xlint:none -cp "$guava" -d "$directory" "$rivals/java/GuavaRound.java"
}

npm_install() { # DIRECTORY PACKAGE...
  need_command node nodejs
  need_command npm npm
  install_missing
  quietly "npm install" timeout 120 npm install --prefix "$1" --no-save --no-package-lock \
    --ignore-scripts --no-audit --no-fund "${@:2}"
}

build_node() { npm_install "$directory" "$flexible"; }

# attempt COMMAND...: in a shell of its own, which cleans up after itself: what gives up there does
# not end the script.
attempt() (
  cleanups=()
  trap clean_up EXIT
  "$@"
)

# --- running -------------------------------------------------------------------------------------

names=()    # of those that are compared; the first is ours
commands=() # that run a round of each
absent=()   # why others are not

add() { # NAME COMMAND
  names+=("$1")
  commands+=("$2")
}

# add_if BUILD NAME COMMAND
add_if() {
  say "Preparing $2"
  if attempt "$1"; then add "$2" "$3"; else absent+=("$2"); fi
}

# run_round INDEX: writes lines of INDEX, set and ns to $scratch/figures.
run_round() {
  [[ $place == memory ]] || redis-cli -p "$redis_port" flushall >/dev/null
  timeout 120 bash -c "${commands[$1]}" >"$scratch/round" 2>"$scratch/errors" </dev/null || return
  awk -v limiter="$1" '{ print limiter, $0 }' "$scratch/round" >>"$scratch/figures"
}

run_rounds() {
  local -i round i
  local -A failed=()
  : >"$scratch/figures"
  for ((round = 1; round <= rounds; round++)); do
    for i in "${!names[@]}"; do
      [[ -z ${failed[$i]:-} ]] || continue
      say "Round $round of $rounds: ${names[i]}"
      run_round "$i" && continue
      cat "$scratch/errors" >&2
      ((i > 0)) || die "a round failed"
      failed[$i]=yes
    done
  done
}

median() { # INDEX SET
  awk -v limiter="$1" -v set="$2" '$1 == limiter && $2 == set { print $3 }' "$scratch/figures" |
    sort -n | awk '{ all[NR] = $1 } END { if (NR) print all[int((NR + 1) / 2)] }'
}

# print_table TITLE SET HEADING [SET HEADING]...
print_table() {
  local -i i
  local set value title=$1
  local -a sets=()
  local -A ours=()
  shift
  printf '%-36s' "$title"
  while (($#)); do
    sets+=("$1")
    printf '%20s' "$2"
    shift 2
  done
  printf '\n'
  for i in "${!names[@]}"; do
    printf '%-36s' "${names[i]}"
    for set in "${sets[@]}"; do
      value=$(median "$i" "$set")
      ours[$set]=${ours[$set]:-$value}
      if [[ -n $value ]]; then
        awk -v value="$value" -v ours="${ours[$set]}" \
          'BEGIN { printf " %9.1f %7.2f x", value, value / ours }'
      else
        printf ' %19s' failed
      fi
    done
    printf '\n'
  done
  for name in "${absent[@]}"; do printf '%-36s cannot be had here: see above\n' "$name"; done
}

compare_in_memory() {
  local program=$directory/bench/bench_compare
  say "Preparing ratelimit"
  build_ours "$directory" OFF bench_compare
  add "ratelimit" "'$program' ratelimit"
  add "C++, a mutex and an unordered_map" "'$program' mutex_map"
  add "C++, 64 of these" "'$program' 64_mutex_maps"
  if "$program" --has boost_concurrent_flat_map; then
    add "C++, boost::concurrent_flat_map" "'$program' boost_concurrent_flat_map"
  else
    absent+=("C++, boost::concurrent_flat_map")
    say "Boost 1.83 or later is not here."
  fi
  add_if build_go "Go, x/time/rate" "'$directory/go_round'"
  add_if build_java "Java, Guava's RateLimiter" "java -Xmx2g -cp '$guava:$directory' GuavaRound"
  add_if build_node "Node, $flexible" \
    "NODE_PATH='$directory/node_modules' node '$rivals/node/main.js'"
  run_rounds
  print_table "ns a decision, median of $rounds" hot "one hot key" 1k "1,000 keys" \
    1M "1,000,000 keys"
}

# A function, so that bash has read it all before it runs: the script may be edited meanwhile.
main() {
  if [[ $place == redis ]]; then compare_on_redis; else compare_in_memory; fi
}

# shellcheck source-path=SCRIPTDIR source=compare_redis.sh
. "$here/compare_redis.sh"

main
exit
