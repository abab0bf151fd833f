#!/usr/bin/env bash
# The detector photographs-only inside the package, which has seen no generated face:
#
#     make photographs-only-detector DATA=<folder that holds camera_faces/, faces_of_both/ and the others>
#
# Half an hour on two cores; interrupted, it goes on where it stopped. Writes runs/photographs-only/
# and, at the end, src/exiface/detector/photographs-only/.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATA:?name the folder that holds camera_faces/, faces_of_both/ and the others: make photographs-only-detector DATA=...}"
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
exiface fit --encoder "$work/encoder" --photos "$work/manifest.parquet" \
    --name exiface-photographs-only \
    --evidence symmetry --evidence smoothing --evidence=-iso_speed --as-sent \
    --per-photo 4 --per-camera 40 --license apache-2.0 --output "$work/fitted"
# Then photographs of all other sources calibrate it as well, and generated faces are measured.
python results/photographs_only.py "$DATA" "$work/fitted" src/exiface/detector/photographs-only
