#!/bin/sh
# Builds the fuzzers of the motion core (clang, libFuzzer, AddressSanitizer, UBSan) and runs each for a bounded time.
# Usage: native/fuzz/run.sh [SECONDS each, default 60] [text|core]...   The corpus grows in build/fuzz/; findings stay there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
seconds=${1:-60}
[ $# -gt 0 ] && shift
out=$root/build/fuzz
mkdir -p "$out"
for name in ${*:-text core}; do
    clang -O1 -g -std=gnu11 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
        -I"$root/native/include" -I"$root/native/src" -I"$root/native/tests" \
        "$here/fuzz_$name.c" "$root"/native/src/*.c -o "$out/fuzz_$name"
    mkdir -p "$out/corpus_$name" "$out/seeds_$name"
    cp "$here"/seeds/"$name"_* "$out/seeds_$name/"
    "$out/fuzz_$name" -max_total_time="$seconds" -max_len=1200 -timeout=20 -dict="$here/gcode.dict" -artifact_prefix="$out/" \
        -print_final_stats=1 "$out/corpus_$name" "$out/seeds_$name"
done
