#!/usr/bin/env bash
# How many instructions does a decision take on the paths that are taken most, and is it still as
# many as bench/instructions.txt says? Fails where one takes over 3 % more.
[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@"
set -euo pipefail

usage() {
  cat <<EOF
usage: bench/instructions.sh [--update] [DIRECTORY]

Runs bench_instructions under callgrind and compares what it counts with
bench/instructions.txt: a line for each compiler and path. Times are not looked
at, so a busy machine does not matter. A compiler that is not in the file passes.

  --update     also write what was counted into the file
  DIRECTORY    a build directory that has bench_instructions, built with
               -O2 -DNDEBUG; without it, one is built by \$CXX
EOF
}

here=$(dirname "${BASH_SOURCE[0]}")
directory=
update=no
while (($#)); do
  case $1 in
    -h | --help)
      usage
      exit
      ;;
    --update) update=yes ;;
    -?*)
      usage >&2
      exit 2
      ;;
    *) directory=$1 ;;
  esac
  shift
done

# shellcheck source-path=SCRIPTDIR source=../cmake/debian.sh
. "$here/../cmake/debian.sh"

readonly file=$repo/bench/instructions.txt
readonly calls=20000 # as in instructions.cpp

build_program() {
  need_build_tools
  need_header benchmark/benchmark.h libbenchmark-dev
  need_command valgrind valgrind
  install_missing
  check_cmake
  local name=${CXX:-c++}
  directory=$repo/build/instructions-${name##*/}
  configure "$directory" -DCMAKE_CXX_COMPILER="${CXX:-c++}" -DCMAKE_BUILD_TYPE=None \
    -DCMAKE_CXX_FLAGS="-O2 -DNDEBUG" -DRATELIMIT_REDIS=OFF -DRATELIMIT_BENCH=ON \
    -DRATELIMIT_TESTS=OFF -DRATELIMIT_EXAMPLES=OFF -DRATELIMIT_INSTALL=OFF
  build "$directory" --target bench_instructions
}

# run_path PATH: how many instructions its decisions took.
run_path() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no \
    --toggle-collect=counted "$program" "$1" >"$scratch/callgrind" 2>&1 &&
    grep -oP '^==\d+== Collected : \K\d+$' "$scratch/callgrind" && return
  cat "$scratch/callgrind" >&2
  die "$1 cannot be counted"
}

# count PATH: the instructions of a decision. The least of three runs: in some few, two of the keys
# happen to be at home in one place, and take a longer way.
count() {
  local total least
  least=$(run_path "$1") || return
  for _ in 2 3; do
    total=$(run_path "$1") || return
    if ((total < least)); then least=$total; fi
  done
  printf '%d\n' $(((least + calls / 2) / calls))
}

# compare COUNTED: says what was counted, and what was known; fails where something has grown.
compare() {
  awk -v update="$update" '
    NR == FNR { known[$1 " " $2] = $3; next }
    {
      printf "%s %-32s %5d", $1, $2, $3
      old = known[$1 " " $2]
      if (!old) printf ", not in bench/instructions.txt"
      else if ($3 != old) printf ", was %d (%+.1f %%)", old, ($3 - old) * 100 / old
      if (old && $3 > old * 1.03) { printf ": too many"; grown = 1 }
      if (old && $3 < old * 0.97 && update == "no") printf ": time to write it down, with --update"
      printf "\n"
    }
    END { exit grown }' "$file" "$1" >&2
}

# write_down COUNTED: puts it in the place of this compiler's lines.
write_down() {
  {
    grep '^#' "$file"
    { grep -v -e '^#' -e "^$compiler " "$file" || true; } | sort -V - "$1"
  } >"$scratch/file"
  cp "$scratch/file" "$file"
}

# A function, so that bash has read it all before it runs: the script may be edited meanwhile.
main() {
  local path counted status=0
  [[ -n $directory ]] || build_program
  program=$directory/bench/bench_instructions
  [[ -x $program ]] || die "there is no $program"
  compiler=$("$program" --compiler)
  for path in $("$program" --paths); do
    counted=$(count "$path")
    printf '%s %s %d\n' "$compiler" "$path" "$counted" >>"$scratch/counted"
  done
  compare "$scratch/counted" || status=$?
  if [[ $update == yes ]]; then write_down "$scratch/counted"; else return "$status"; fi
}

main
exit
