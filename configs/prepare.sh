#!/usr/bin/env bash
# Manifests of the development data, runs/data/*.parquet: `bash configs/prepare.sh DATA` those of
# faces, two minutes on two cores; `bash configs/prepare.sh DATA images` those of whole images at their
# own pixels, ten seconds. What is there already is left as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
data="$1"
work=runs/data
python configs/records.py "$data" "$work"

prepare() { # folder, further options
    local folder="$1"
    shift
    [ -f "$work/$folder.parquet" ] || exiface prepare "$data/$folder" \
        --records "$work/$folder.csv" --output "$work/$folder.parquet" --seed 0 "$@" >/dev/null
}

images() {
    prepare camera_native --subject image
    # Splits of few pictures leave more of them for measuring.
    prepare bench_scenes --subject image \
        --splits train=0.4,validation=0.1,fit=0.25,calibration=0.25
    # Of the faces, those at their own pixels, by links: a manifest is of one folder.
    if [ ! -f "$work/faces_native.parquet" ]; then
        for folder in "$data"/faces_of_both/*_native; do
            mkdir -p "$work/faces_native/$(basename "$folder")"
            ln -sf "$(realpath "$folder")"/* "$work/faces_native/$(basename "$folder")"
        done
        exiface prepare "$work/faces_native" --records "$work/faces_of_both.csv" --subject image \
            --output "$work/faces_native.parquet" >/dev/null
    fi
}

faces() {
    prepare camera_faces
    prepare camera_faces_2
    for folder in faces_of_both bench_dev bench_dev_native; do
        prepare "$folder" --cropped
    done
    if [ ! -f "$work/resynthesis.parquet" ]; then
        python configs/resynthesise.py "$data"
        exiface prepare "$work/resynthesis" --records "$work/resynthesis.csv" --cropped \
            --output "$work/resynthesis.parquet" >/dev/null
    fi
}

"${2:-faces}"
