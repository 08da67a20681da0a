# shellcheck shell=bash
# shellcheck disable=SC2154,SC2317  # what compare.sh sets, and what it calls by its name
# The part of compare.sh that compares on Redis, which reads it.
#
# A process prints a line for each figure. Each limiter allows 64 callers (threads, or what its
# language has for that) whatever they ask in a second, on 1,000 keys, after half a second to warm
# up; the server's keys are flushed before each round. Ours is a token bucket; the one policy that
# the others share is a fixed window, which is cheaper.

readonly ioredis=ioredis@6.0.0
readonly redis_rate=github.com/go-redis/redis_rate/v10@v10.0.1
readonly python=/usr/bin/python3 # for which Debian's packages are

build_ours_on_redis() {
  need_command redis-server redis-server
  need_command redis-cli redis-tools
  need_command pkg-config pkg-config
  need_header hiredis/hiredis.h libhiredis-dev
  need_header fmt/format.h libfmt-dev
  build_ours "$directory/redis" ON bench_compare_redis bench_redis_scripts
}

build_node_on_redis() { npm_install "$directory/redis" "$flexible" "$ioredis"; }

build_python() {
  need_file /usr/lib/python3/dist-packages/limits python3-limits
  need_file /usr/lib/python3/dist-packages/redis python3-redis
  install_missing
  "$python" -c 'import limits, redis'
}

# first_template FILE NAME: the text in backquotes that a program gives to NAME first.
first_template() {
  awk -v name="$2" -F '`' '
    !on && index($0, name) && NF > 1 { on = 1; $0 = substr($0, index($0, "`") + 1) }
    on { closed = index($0, "`"); sub(/`.*/, ""); sub(/ *\\$/, ""); print; if (closed) exit }' "$1"
}

# Their scripts come from their packages: $directory/redis/NAME.lua.
fetch_flexible_script() {
  first_template "$directory/redis/node_modules/rate-limiter-flexible/lib/RateLimiterRedis.js" \
    incrTtlLuaScript >"$directory/redis/flexible.lua"
  [[ -s $directory/redis/flexible.lua ]]
}

fetch_redis_rate_script() {
  local module=$directory/redis/go-modules/$redis_rate
  need_command go golang-go
  install_missing
  mkdir -p "$directory/redis/go"
  [[ -e $directory/redis/go/go.mod ]] || printf 'module compare\n' >"$directory/redis/go/go.mod"
  (cd "$directory/redis/go" &&
    quietly "go mod download" env -u GOFLAGS GO111MODULE=on GOMODCACHE="$directory/redis/go-modules" \
      timeout 120 go mod download -modcacherw "$redis_rate") || return
  first_template "$module/lua.go" 'allowN = ' >"$directory/redis/redis_rate.lua"
  [[ -s $directory/redis/redis_rate.lua ]]
}

compare_scripts() {
  local year=31622400 lua=$directory/redis
  local -a scripts=()
  say "Preparing their scripts"
  if attempt fetch_flexible_script; then
    scripts+=("--script=rate-limiter-flexible, allowed=$lua/flexible.lua:1:1:3600")
  fi
  if attempt fetch_redis_rate_script; then
    scripts+=("--script=redis_rate, allowed=$lua/redis_rate.lua:1:1000000000:1000000:1:1"
      "--script=redis_rate, denied=$lua/redis_rate.lua:1:1:1:$year:1")
  fi
  say "Measuring the server"
  "$directory/redis/bench/bench_redis_scripts" --rounds="$rounds" "${scripts[@]}"
}

compare_on_redis() {
  say "Preparing ratelimit"
  build_ours_on_redis
  start_redis
  add "ratelimit" "'$directory/redis/bench/bench_compare_redis' $redis_port"
  add_if build_node_on_redis "Node, rate-limiter-flexible, ioredis" \
    "NODE_PATH='$directory/redis/node_modules' node '$rivals/node/redis.js' $redis_port"
  add_if build_python "Python, limits" "'$python' '$rivals/python/limits_redis.py' $redis_port"
  run_rounds
  print_table "us, median of $rounds" decision "a decision" p50 "half wait" p99 "99 % wait"
  printf '\n'
  compare_scripts
}
