#!/usr/bin/env bash
# Manifests of whole images at their own pixels, runs/data/*.parquet:
# `bash configs/prepare-images.sh DATA`. Ten seconds; what is there already is left as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
data="$1"
work=runs/data
python configs/records.py "$data" "$work"

prepare() { # folder, further options
    local folder="$1"
    shift
    [ -f "$work/$folder.parquet" ] || exiface prepare "$data/$folder" --subject image \
        --records "$work/$folder.csv" --output "$work/$folder.parquet" --seed 0 "$@" >/dev/null
}

prepare camera_native
# Splits of few pictures leave more of them for measuring.
prepare bench_scenes --splits train=0.4,validation=0.1,fit=0.25,calibration=0.25
# Of the faces, those at their own pixels, by links: a manifest is of one folder.
if [ ! -f "$work/faces_native.parquet" ]; then
    for folder in "$data"/faces_of_both/*_native; do
        mkdir -p "$work/faces_native/$(basename "$folder")"
        ln -sf "$(realpath "$folder")"/* "$work/faces_native/$(basename "$folder")"
    done
    exiface prepare "$work/faces_native" --records "$work/faces_of_both.csv" --subject image \
        --output "$work/faces_native.parquet" >/dev/null
fi
