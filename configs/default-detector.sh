#!/usr/bin/env bash
# The default detector inside the package, which has seen generated faces in training:
#
#     make default-detector DATA=<folder that holds camera_faces/, faces_of_both/, bench_dev/ ...>
#
# An hour and a half on two cores; interrupted, it goes on where it stopped. Writes runs/network*/
# and, at the end, src/exiface/detector/default/. How it fares on generators and photographs that it
# has not seen is measured by `make leave-one-out`.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATA:?name the folder that holds faces_of_both/: make default-detector DATA=...}"
data=runs/data
mkdir -p "$data"
bash configs/prepare.sh "$DATA"
# shellcheck source=configs/start.sh
. configs/start.sh

manifests=()
for folder in camera_faces camera_faces_2 faces_of_both bench_dev bench_dev_native; do
    manifests+=("$data/$folder.parquet")
done
exiface train "${manifests[@]/#/--data=}" --config configs/default-detector.yaml \
    --init "$weights" --output runs/network
# Larger windows in the end, nearer to the whole crops that it will look at; then halfway between the
# two networks, which is better than either.
exiface train "${manifests[@]/#/--data=}" --config configs/default-detector.yaml \
    --set window=192 --set epochs=12 --set learning_rate=4.0e-4 --set start_share=0.5 \
    --init runs/network/checkpoint.safetensors --output runs/network-larger
# Calibrated on all photographs of these that didn't train it. Its card and its notice quote results/,
# which `make leave-one-out` and `make results` write. What generated faces score comes from detectors
# trained in the same way without their families (`make leave-one-out-short`): of this one, all
# families that are at hand are known.
exiface fit --encoder runs/network-larger "${manifests[@]/#/--photos=}" --name exiface-default \
    --per-camera 40 --card configs/default-detector.card.md \
    --generated results/leave-one-out-short-faces.csv \
    --notice "$(python results/quote.py notice)" --output src/exiface/detector/default
