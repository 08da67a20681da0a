#!/usr/bin/env bash
# same_on_redis.sh QUICKSTART LOG...: quickstart prints the same with its state in memory and on a Redis
# server, but for the last line, and leaves no key behind.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=../cmake/debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cmake/debian.sh"

figures() { "$quickstart" --limit 3 "$@" 2>&1 | sed '/^decisions a second [ 0-9]*$/d'; }

quickstart=$1
shift
start_redis
for log in "$@"; do
  figures "$log" >"$scratch/in_memory"
  figures --redis "redis://127.0.0.1:$redis_port" "$log" >"$scratch/on_redis"
  diff "$scratch/in_memory" "$scratch/on_redis"
  grep -q '^denied .* [1-9]' "$scratch/on_redis"
done
[[ $(redis-cli -p "$redis_port" dbsize) == 0 ]]
