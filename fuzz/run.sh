#!/usr/bin/env bash
# Build the fuzz targets and run each for a while. See README.md.
#
#   fuzz/run.sh                       every target but `component` and `mapping`, 60 seconds each
#   fuzz/run.sh body projection       these
#   FUZZ_SECONDS=3600 fuzz/run.sh     longer
#
# Exit 3: something is missing on this machine, and the last line says what. Exit 1: a finding.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

missing() { printf 'fuzz: missing: %s\n' "$*" >&2; exit 3; }
command -v rustup >/dev/null || missing "rustup, which brings the nightly toolchain"
rustup run nightly rustc --version >/dev/null 2>&1 || missing "a nightly toolchain (rustup toolchain install nightly --profile minimal)"
command -v c++ >/dev/null || missing "a C++ compiler, which builds libFuzzer (on Debian: apt-get install g++)"

seconds=${FUZZ_SECONDS:-60}
targets=("$@")
[[ ${#targets[@]} -gt 0 ]] || targets=(manifest grant template projection body hook ami)
features=
for target in "${targets[@]}"; do
    [[ -f fuzz_targets/$target.rs ]] || { printf 'fuzz: no target %s; there are: %s\n' "$target" "$(cd fuzz_targets && echo *.rs | sed 's/\.rs//g')" >&2; exit 2; }
    case $target in
    component) features+=${features:+,}engine ;;
    mapping) features+=${features:+,}channels ;;
    esac
done

root=${CARGO_TARGET_DIR:-$PWD/../target}
mkdir -p "$root"
root=$(cd "$root" && pwd)
triple=$(rustup run nightly rustc -vV | sed -n 's/^host: //p')

# Coverage counters for libFuzzer, and nothing else: the code under test has no unsafe, so that a sanitizer
# would find nothing and cost two thirds of the speed. `--target` keeps the flags away from build scripts.
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0 -Ccodegen-units=1"
bins=()
for target in "${targets[@]}"; do bins+=(--bin "$target"); done
rustup run nightly cargo build --release --target "$triple" --target-dir "$root/fuzz" \
    ${features:+--features "$features"} "${bins[@]}"

status=0
for target in "${targets[@]}"; do
    # New inputs go to the first folder; the committed ones are only read.
    found=$root/fuzz/corpus/$target
    mkdir -p "$found" "$root/fuzz/artifacts/$target"
    printf '\n== fuzz %s, %s seconds\n' "$target" "$seconds"
    log=$root/fuzz/$target.log
    result=0
    RUST_BACKTRACE=0 "$root/fuzz/$triple/release/$target" "$found" "corpus/$target" \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1 \
        -artifact_prefix="$root/fuzz/artifacts/$target/" >"$log" 2>&1 || result=$?
    if [[ $result -eq 0 ]]; then
        grep -E '^(#[0-9]+[[:space:]]+(INITED|DONE)|stat::(number_of_executed_units|average_exec_per_sec|new_units_added|peak_rss_mb))' "$log"
    else
        grep -A 12 -m 1 -E 'panicked at|ERROR: libFuzzer' "$log" || tail -n 40 "$log"
        printf 'fuzz: a finding in %s; the input is under %s\n' "$target" "$root/fuzz/artifacts/$target" >&2
        status=1
    fi
done
exit $status
