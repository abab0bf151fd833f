#!/usr/bin/env bash
# The figures of photographs-only on the development benchmarks, which it has never seen:
#
#     make results DATA=<folder that holds bench_dev/ and bench_dev_native/>
#
# Each generator is compared with the photographs of its own set, which went through the same
# processing. Ten minutes on two cores. The default detector has been trained on these benchmarks;
# what it finds of others is measured by `make left-out`. Writes
#
#     results/photographs-only.csv               bench_dev: AUC, recall, false alarms, intervals
#     results/photographs-only-sweep.csv         the same under 19 alterations
#     results/photographs-only-audit.csv         what separates the classes besides faces
#     results/photographs-only-false-alarms.csv  at the promised 1, 5 and 10 %
#     results/photographs-only-native*.csv       bench_dev_native: AUC, recall, false alarms, audit
#     results/photographs-only-fairness.csv      whom the false alarms hit
#
# and reports with pictures in build/ (they show photographs of the benchmarks: keep them to
# yourself). Then it checks that README, docs and model cards quote these figures. Without DATA it
# does the check only.
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
    for table in sweep audit false-alarms; do
        cp "build/$1/$table.csv" "results/$1-$table.csv"
    done
    cp "build/$1-native/audit.csv" "results/$1-native-audit.csv"
    python results/fairness.py "$DATA" "$2" "results/$1-fairness.csv"
}

if [ -n "${DATA:-}" ]; then
    figures photographs-only photographs-only
else
    echo "DATA is not given: the committed tables stay as they are"
fi
python -m pytest -q tests/test_readme.py
