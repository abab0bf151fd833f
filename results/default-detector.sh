#!/usr/bin/env bash
# The default detector's figures on the development benchmarks:
#
#     make results DATA=<folder that holds bench_dev/ and bench_dev_native/>
#
# Writes results/default-detector.csv and results/default-detector-native.csv. Each generator is
# compared with the photographs of its own set, which went through the same processing.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATA:?name the folder that holds bench_dev/: make results DATA=...}"

table() { # benchmark, CSV file
    local bench="$DATA/$1"
    exiface evaluate --csv "$2" \
        --real D1="$bench/D1_stylegan1/real" --real D2="$bench/D2_stylegan2_3/real" \
        --real D3="$bench/D3_sdxl/real" --real D4="$bench/D4_sd3/real" \
        --real R1="$bench/R1_utkface/real" \
        --fake D1/stylegan1="$bench/D1_stylegan1/stylegan1" \
        --fake D2/stylegan2="$bench/D2_stylegan2_3/stylegan2" \
        --fake D2/stylegan3="$bench/D2_stylegan2_3/stylegan3" \
        --fake D3/sdxl="$bench/D3_sdxl/sdxl" \
        --fake D4/sd3="$bench/D4_sd3/sd3"
}

table bench_dev results/default-detector.csv
table bench_dev_native results/default-detector-native.csv
