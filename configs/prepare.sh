#!/usr/bin/env bash
# Manifests of the development data, runs/data/*.parquet: `bash configs/prepare.sh DATA`.
# Two minutes on two cores; what is there already is left as it is.
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
