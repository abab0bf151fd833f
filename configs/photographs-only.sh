#!/usr/bin/env bash
# The detector photographs-only inside the package, which has seen no generated face:
#
#     make photographs-only-detector DATA=<folder that holds camera_faces/>
#
# Ten minutes on two cores; interrupted, it goes on where it stopped. Writes runs/photographs-only/
# and, at the end, src/exiface/detector/photographs-only/.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATA:?name the folder that holds camera_faces/: make photographs-only-detector DATA=...}"
photos="$DATA/camera_faces"
work=runs/photographs-only
mkdir -p "$work"
# shellcheck source=configs/start.sh
. configs/start.sh

bash configs/prepare.sh "$DATA"
[ -f "$work/manifest.parquet" ] || exiface prepare "$photos" --records "$photos/camera_faces.csv" \
    --seed 0 --output "$work/manifest.parquet"
exiface train --data "$work/manifest.parquet" --config photographs-only \
    --init "$weights" --output "$work/encoder"
# All generators are such that it never saw.
generated=(runs/data/faces_of_both.parquet runs/data/bench_dev.parquet runs/data/bench_dev_native.parquet)
exiface fit --encoder "$work/encoder" --photos "$work/manifest.parquet" \
    --name exiface-photographs-only \
    --evidence symmetry --evidence smoothing --evidence=-iso_speed --as-sent \
    --per-photo 4 --per-camera 40 --license apache-2.0 --card configs/photographs-only.card.md \
    "${generated[@]/#/--generated=}" \
    --notice "It has never seen a generated face and misses most of them. \
What it flags deserves a look; symmetric, smooth, noise-free portraits come closest to being flagged wrongly." \
    --output src/exiface/detector/photographs-only
