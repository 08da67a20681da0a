#!/usr/bin/env bash
# Installs what is missing (Debian or Ubuntu), builds examples/quickstart.cpp in build/quickstart, and
# runs it: what would a rate limit have done to a web server's traffic?
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail

usage() {
  cat <<EOF
usage: examples/quickstart.sh [--redis] [--policy NAME] [--limit N] [--window SECONDS] [LOG]

Replays LOG, an access log in Common or Combined Log Format (- for standard input;
without one, real traffic of 1995), and says which clients a rate limit would have
denied. In memory, or with --redis on a Redis server that is started for it.

  --policy NAME      token, leaky, fixed, log or counter; without it, all five
  --limit N          requests allowed to each client per window (10)
  --window SECONDS   length of the window (60)
EOF
}

here=$(dirname "${BASH_SOURCE[0]}")
log=$here/data/access.log
redis=OFF
options=()
while (($#)); do
  case $1 in
    -h | --help)
      usage
      exit
      ;;
    --redis) redis=ON ;;
    --policy | --limit | --window)
      (($# > 1)) || { usage >&2 && exit 2; }
      options+=("$1" "$2")
      shift
      ;;
    -?*)
      usage >&2
      exit 2
      ;;
    *) log=$1 ;;
  esac
  shift
done

# shellcheck source-path=SCRIPTDIR source=../cmake/debian.sh
. "$here/../cmake/debian.sh"

if [[ $log != - && (! -r $log || -d $log) ]]; then die "cannot read $log"; fi

need_build_tools
if [[ $redis == ON ]]; then
  need_command redis-server redis-server
  need_command redis-cli redis-tools
  need_header hiredis/hiredis.h libhiredis-dev
  need_header fmt/format.h libfmt-dev
  need_header openssl/ssl.h libssl-dev
fi
install_missing
check_cmake

directory=$repo/build/quickstart
configure "$directory" -DCMAKE_BUILD_TYPE=Release -DRATELIMIT_REDIS=$redis -DRATELIMIT_EXAMPLES=ON \
  -DRATELIMIT_TESTS=OFF -DRATELIMIT_BENCH=OFF -DRATELIMIT_INSTALL=OFF
if [[ $(ninja -C "$directory" -n quickstart) != *"no work to do"* ]]; then
  say "Building in $directory"
  build "$directory" --target quickstart
fi

if [[ $redis == ON ]]; then
  start_redis
  options+=(--redis "redis://127.0.0.1:$redis_port")
fi
# A log's name may begin with a dash.
[[ $log != -?* ]] || log=./$log
# In the background, so that this shell hears a signal at once, and ends the server too.
"$directory/examples/quickstart" "${options[@]}" "$log" <&0 &
cleanups+=("kill $! 2>/dev/null || true")
wait "$!"
