#!/usr/bin/env bash
# The default detector's figures on the development benchmarks:
#
#     make results DATA=<folder that holds bench_dev/ and bench_dev_native/>
#
# Each generator is compared with the photographs of its own set, which went through the same
# processing. About ten minutes on two cores. Writes
#
#     results/default-detector.csv                 bench_dev: AUC, recall, false alarms, intervals
#     results/default-detector-sweep.csv           the same under 19 alterations
#     results/default-detector-audit.csv           what separates the classes besides faces
#     results/default-detector-false-alarms.csv    at the promised 1, 5 and 10 %
#     results/default-detector-own-photographs.csv recalibrated and refitted on half of a source
#     results/default-detector-native.csv          bench_dev_native: AUC, recall, false alarms
#     results/default-detector-native-audit.csv    what separates the classes there
#     results/default-detector-fairness.csv        whom the false alarms hit
#
# and two reports with pictures, build/report/ and build/report-native/ (they show photographs of
# the benchmarks: keep them to yourself). Then it checks that README, docs and model card quote
# these figures. Without DATA it does the check only.
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

if [ -n "${DATA:-}" ]; then
    report bench_dev build/report --sweep --refit
    cp build/report/figures.csv results/default-detector.csv
    for table in sweep audit false-alarms own-photographs; do
        cp "build/report/$table.csv" "results/default-detector-$table.csv"
    done
    report bench_dev_native build/report-native
    cp build/report-native/figures.csv results/default-detector-native.csv
    cp build/report-native/audit.csv results/default-detector-native-audit.csv
    python results/fairness.py "$DATA" default results/default-detector-fairness.csv
else
    echo "DATA is not given: the committed tables stay as they are"
fi
python -m pytest -q tests/test_readme.py
