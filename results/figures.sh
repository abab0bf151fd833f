#!/usr/bin/env bash
# The detectors' figures on the development benchmarks:
#
#     make results DATA=<folder that holds bench_dev/ and bench_dev_native/>
#
# The detector in the package has been trained on these benchmarks. In its place stands that of
# `make leave-one-out`'s first turn, made in the same way without them, without StyleGAN 1 and Stable
# Diffusion 3, and without one of the sources of photographs. photographs-only is measured as it is.
# Each generator is compared with the photographs of its own set, which went through the same
# processing. Twenty minutes on two cores. For each of both, D, writes
#
#     results/D.csv                 bench_dev: AUC, recall, false alarms, intervals
#     results/D-sweep.csv           the same under 19 alterations
#     results/D-audit.csv           what separates the classes besides faces
#     results/D-reliance.csv        which of these cues the scores of photographs follow
#     results/D-false-alarms.csv    at the promised 1, 5 and 10 %
#     results/D-native.csv          bench_dev_native: AUC, recall, false alarms
#     results/D-native-audit.csv    what separates the classes there
#     results/D-native-reliance.csv
#     results/D-fairness.csv        whom the false alarms hit
#
# and reports with pictures in build/ (they show photographs of the benchmarks: keep them to
# yourself). Then it checks that README, docs and model cards quote these figures. Without DATA it
# does the check only; with names of detectors, DATA=... bash results/figures.sh NAME, only those.
set -euo pipefail
cd "$(dirname "$0")/.."

report() { # benchmark, folder of the report, further options
    local bench="$DATA/$1" folder="$2"
    shift 2
    exiface evaluate -o "$folder" "$@" \
        --real D1="$bench/D1_stylegan1/real" --real D2="$bench/D2_stylegan2_3/real" \
        --real D3="$bench/D3_sdxl/real" --real D4="$bench/D4_sd3/real" \
        --real R1="$bench/R1_utkface/real" \
        --fake D1/stylegan1="$bench/D1_stylegan1/stylegan1" \
        --fake D2/stylegan2="$bench/D2_stylegan2_3/stylegan2" \
        --fake D2/stylegan3="$bench/D2_stylegan2_3/stylegan3" \
        --fake D3/sdxl="$bench/D3_sdxl/sdxl" \
        --fake D4/sd3="$bench/D4_sd3/sd3"
}

figures() { # name, detector
    report bench_dev "build/$1" --detector "$2" --sweep
    report bench_dev_native "build/$1-native" --detector "$2"
    cp "build/$1/figures.csv" "results/$1.csv"
    cp "build/$1-native/figures.csv" "results/$1-native.csv"
    for table in sweep audit reliance false-alarms; do
        cp "build/$1/$table.csv" "results/$1-$table.csv"
    done
    for table in audit reliance; do
        cp "build/$1-native/$table.csv" "results/$1-native-$table.csv"
    done
    python results/fairness.py "$DATA" "$2" "results/$1-fairness.csv"
}

if [ -n "${DATA:-}" ]; then
    declare -A made=(
        [default-detector]=runs/leave-one-out/first-0/detector
        [photographs-only]=photographs-only
    )
    [ $# -gt 0 ] || set -- default-detector photographs-only
    for name in "$@"; do
        figures "$name" "${made[$name]}"
    done
else
    echo "DATA is not given: the committed tables stay as they are"
fi
python -m pytest -q tests/test_readme.py
