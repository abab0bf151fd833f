#!/usr/bin/env bash
# The detector of whole images inside the package, which has seen generated images in training:
#
#     make whole-image-detector DATA=<folder that holds camera_native/, bench_scenes/, faces_of_both/>
#
# Ten minutes on two cores, after the forty of `make whole-image`, which measures what it misses by
# networks trained in the same way without some of the generators; interrupted, either goes on where
# it stopped. Writes runs/whole-image/ and, at the end, src/exiface/detector/whole-image/.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATA:?name the folder that holds camera_native/: make whole-image-detector DATA=...}"
data=runs/data
bash configs/prepare.sh "$DATA" images
# shellcheck source=configs/start.sh
. configs/start.sh

manifests=()
for folder in camera_native bench_scenes faces_native; do
    manifests+=("$data/$folder.parquet")
done
exiface train "${manifests[@]/#/--data=}" --config configs/whole-image.yaml \
    --init "$weights" --output runs/whole-image/all
exiface fit --encoder runs/whole-image/all "${manifests[@]/#/--photos=}" --name exiface-whole-image \
    --as-sent --card configs/whole-image.card.md --generated results/whole-image-images.csv \
    --notice "$(python results/quote.py whole-image)" --output src/exiface/detector/whole-image
