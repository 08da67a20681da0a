#!/usr/bin/env bash
# shellcheck disable=SC2317  # the legs are called by their names
# Installs what is missing (Debian or Ubuntu), builds the whole test suite in build/LEG, and runs it.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail

usage() {
  cat <<EOF
usage: tests/run.sh [LEG...]

  gcc           build all with g++ and run every test: what to run before a commit (the default)
  clang         the same with clang++, under AddressSanitizer and UndefinedBehaviorSanitizer
  thread        run the tests that start threads under ThreadSanitizer
  valgrind      run the test programs under memcheck
  instructions  no decision in memory takes 3 % more instructions than bench/instructions.txt says
  format        clang-format finds nothing to change
  tidy          clang-tidy finds nothing to say
  shell         shellcheck finds nothing to say
  all           all of these, in this order

Each leg says how it ended; the exit code is that of the worst. With CI=true warnings are
errors, and a test that cannot run is one that failed.
EOF
}

# shellcheck source-path=SCRIPTDIR source=../cmake/debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cmake/debian.sh"

readonly -a all_legs=(gcc clang thread valgrind instructions format tidy shell)
cores=$(nproc)
werror=OFF
[[ ${CI:-} != true ]] || werror=ON

# --- what the legs share -------------------------------------------------------------------------

need_build_packages() {
  need_command cmake cmake
  need_command ninja ninja-build
  need_command g++ g++
  need_command pkg-config pkg-config
  need_header hiredis/hiredis.h libhiredis-dev
  need_header fmt/format.h libfmt-dev
  need_header openssl/ssl.h libssl-dev
  need_header gtest/gtest.h libgtest-dev
  need_header gmock/gmock.h libgmock-dev
  need_header rapidcheck.h librapidcheck-dev
  need_header benchmark/benchmark.h libbenchmark-dev
  need_command redis-server redis-server
  need_command redis-cli redis-tools
}

need_packages() { # LEG
  case $1 in
    format) need_command clang-format clang-format ;;
    shell) need_command shellcheck shellcheck ;;
    clang)
      need_build_packages
      need_command clang++ clang
      need_file "/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.asan-*.a" libclang-rt-dev
      ;;
    valgrind | instructions) need_build_packages && need_command valgrind valgrind ;;
    tidy) need_build_packages && need_command clang-tidy clang-tidy ;;
    *) need_build_packages ;;
  esac
}

# configure_leg LEG COMPILER FLAGS [OPTION...]: all flags are here, and line numbers all that tests need of
# debug information. RATELIMIT_TEST_FLAGS, for tests alone, are less optimised where that takes less time in
# all; what is tested is compiled as FLAGS say.
configure_leg() {
  local leg=$1 compiler=$2 flags=$3
  shift 3
  check_cmake
  configure "$repo/build/$leg" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=None \
    -DCMAKE_CXX_FLAGS="-g1 $flags" -DRATELIMIT_REDIS=ON -DRATELIMIT_TESTS=ON -DRATELIMIT_EXAMPLES=ON -DRATELIMIT_INSTALL=ON \
    -DRATELIMIT_WERROR="$werror" "$@"
}

# Removes what passed, or was done, from what was watched.
failures_only() {
  awk '
    /^\[done\] |^Internal ctest|^Test project|^ +Start +[0-9]+:|^ *[0-9]+\/[0-9]+ Test +#.* Passed / { next }
    /^\[ RUN  / { run = $0; next }
    /^\[       OK|^\[---/ { run = ""; next }
    run { print run; run = "" }
    { print }' | cat -s
}

# run_tests LEG [OPTION...]: shows what fails, and ctest's closing lines.
run_tests() {
  local directory=$repo/build/$1 status=0
  shift
  watch "$scratch/ctest" "${launcher[@]}" ctest --test-dir "$directory" --output-on-failure \
    --no-tests=error -j "$cores" "$@" || status=$?
  failures_only <"$scratch/ctest"
  return "$status"
}

# check_each COMMAND...: runs it for each line of $scratch/list, as its last argument, on all cores; shows
# what it says where it fails.
check_each() {
  local status=0
  [[ -s $scratch/list ]] || die "nothing to check"
  # shellcheck disable=SC2016  # the inner shell's variables
  watch "$scratch/checks" xargs -a "$scratch/list" -d '\n' -P "$cores" -I '{}' "$BASH" -c '
    output=$(mktemp "$0/output.XXXXXX")
    if "$@" </dev/null >"$output" 2>&1; then printf "[done] %s\n" "${!#}"; else
      cat "$output"
      printf "failed: %s\n" "${!#}"
      exit 1
    fi' "$scratch" "$@" '{}' || status=1
  failures_only <"$scratch/checks"
  return "$status"
}

# --- the legs ------------------------------------------------------------------------------------

leg_gcc() {
  build_gcc && run_tests gcc
}

build_gcc() {
  configure_leg gcc g++ "-O2 -DNDEBUG" -DRATELIMIT_TEST_FLAGS=-O1 -DRATELIMIT_BENCH=ON &&
    build "$repo/build/gcc"
}

# configure_sanitized LEG COMPILER FLAGS [OPTION...]
configure_sanitized() {
  local leg=$1 compiler=$2 flags="-O1 -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS $3"
  shift 3
  configure_leg "$leg" "$compiler" "$flags" "$@"
}

leg_clang() {
  export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 RATELIMIT_ROUNDS=4
  configure_sanitized clang clang++ "-fsanitize=address,undefined -fno-sanitize-recover=all" \
    -DRATELIMIT_TEST_FLAGS=-O0 &&
    build "$repo/build/clang" && run_tests clang
}

leg_thread() {
  export TSAN_OPTIONS=second_deadlock_stack=1 RATELIMIT_ROUNDS=1 RATELIMIT_MORE_SWITCHES=-1
  # Where the kernel scatters addresses more widely than the compiler's runtime expects, every program ends
  # at its start.
  if setarch "$(uname -m)" -R true 2>/dev/null; then launcher=(setarch "$(uname -m)" -R); fi
  configure_sanitized thread g++ -fsanitize=thread &&
    build "$repo/build/thread" --target threaded_tests &&
    run_tests thread -L 'faults|stress'
}

# Each program as a whole, since memcheck is slow to start; random tests draw less, since it is slow to run.
# Not those of many threads: the sanitizers run these, at a tenth of the time.
leg_valgrind() {
  export RC_PARAMS=max_success=10 RATELIMIT_DECISIONS=20000 RATELIMIT_MORE_SWITCHES=-1 RATELIMIT_ROUNDS=1 RATELIMIT_CALLERS=300
  build_gcc || return
  ctest --test-dir "$repo/build/gcc" -N -V -LE 'package|bare|stress' |
    awk -v start="Test command: $repo/build/gcc/" '
      i = index($0, start) { $0 = substr($0, i + 14); sub(/ "--gtest.*/, ""); print }' |
    sort -u >"$scratch/list"
  check_each valgrind --quiet --error-exitcode=99 --leak-check=full --fair-sched=yes \
    --soname-synonyms=somalloc=nouserintercepts # a test has an operator new of its own
}

leg_instructions() {
  build_gcc && "$repo/bench/instructions.sh" "$repo/build/gcc"
}

leg_format() {
  find "$repo"/{include,src,tests,bench,examples} -name '*.[ch]pp' | sort >"$scratch/list"
  check_each clang-format --dry-run -Werror
}

# Without precompiled headers, so that it also sees what a file forgot to include.
leg_tidy() {
  configure_leg tidy clang++ -O1 -DRATELIMIT_BENCH=ON -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
    -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON || return
  different_commands <"$repo/build/tidy/compile_commands.json" >"$scratch/compile_commands.json"
  sed -n 's/^ *"file": "\(.*\)",\{0,1\}$/\1/p' "$scratch/compile_commands.json" |
    grep -vF "$repo/build/" | sort -u >"$scratch/list"
  check_each clang-tidy --quiet -p "$scratch"
}

# A file that is in several targets is in the compile database as often, and clang-tidy would look at it for
# each: keeps one of those that differ in nothing but where they look for headers and write to.
different_commands() {
  awk '
    /^{/ { entry = $0; next }
    /^ *"command":/ { key = $0; gsub(/ -(o|I|isystem) *[^ ]+/, "", key) }
    /^}/ {
      if (!(key in seen)) { printf "%s%s\n}", any++ ? ",\n" : "[\n", entry }
      seen[key]
      next
    }
    { entry = entry "\n" $0 }
    END { print "\n]" }'
}

leg_shell() {
  quietly shellcheck shellcheck --external-sources "$repo"/{.ci/run,cmake/debian.sh} \
    "$repo"/{bench,examples,tests}/*.sh
}

# --- the command line ----------------------------------------------------------------------------

# A function, so that bash has read it all before it runs: the script may be edited meanwhile.
main() {
  local leg result start worst=0
  local -a legs=() results=()
  for leg in "${@:-gcc}"; do
    case $leg in
      -h | --help)
        usage
        exit
        ;;
      all) legs+=("${all_legs[@]}") ;;
      *)
        if [[ " ${all_legs[*]} " != *" $leg "* ]]; then
          usage >&2
          exit 2
        fi
        legs+=("$leg")
        ;;
    esac
  done

  for leg in "${legs[@]}"; do need_packages "$leg"; done
  install_missing

  for leg in "${legs[@]}"; do
    say "=== $leg"
    start=$SECONDS
    # In a shell of its own, so that what a leg sets or how it ends does not touch the next.
    if ("leg_$leg"); then result=passed; else
      result=FAILED
      worst=1
    fi
    results+=("$(printf '%-12s %s, %d s' "$leg" "$result" $((SECONDS - start)))")
    say "=== ${results[-1]}"
  done
  if ((${#results[@]} > 1)); then printf '%s\n' "" "${results[@]}" >&2; fi
  return "$worst"
}

main "$@"
exit
