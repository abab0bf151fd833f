#!/usr/bin/env bash
# Manifests of the development data, runs/data/*.parquet: `bash configs/prepare.sh DATA` those of
# faces and of windows of whole pictures, which the default detector's network learns from, three
# minutes on two cores; `bash configs/prepare.sh DATA images` those of pictures as wholes, ten seconds.
# What is there already is left as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
data="$1"
work=runs/data
python configs/records.py "$data" "$work"

prepare() { # folder, manifest, further options
    local folder="$1" manifest="$work/$2.parquet"
    shift 2
    [ -f "$manifest" ] || exiface prepare "$data/$folder" \
        --records "$work/$folder.csv" --output "$manifest" --seed 0 "$@" >/dev/null
}

images() {
    prepare camera_native whole_camera_native --subject image
    # Splits of few pictures leave more of them for measuring.
    prepare bench_scenes whole_bench_scenes --subject image \
        --splits train=0.4,validation=0.1,fit=0.25,calibration=0.25
}

faces() {
    prepare camera_faces camera_faces
    prepare camera_faces_2 camera_faces_2
    for folder in faces_of_both faces_of_both_2 faces_of_both_3 bench_dev bench_dev_native \
        camera_native windows_of_both bench_scenes bench_scenes_2; do
        prepare "$folder" "$folder" --cropped
    done
}

"${2:-faces}"
