#!/usr/bin/env bash
# The two detectors inside the package that have seen generated pictures, of faces and of whole
# pictures, by one network:
#
#     make default-detector DATA=<folder that holds camera_faces/, faces_of_both/, windows_of_both/ ...>
#
# Two hours on two cores; interrupted, it goes on where it stopped. Writes runs/turns/ and, at
# the end, src/exiface/detector/default/ and src/exiface/detector/whole-image/. `make left-out`, which
# comes first, measures how the recipe fares on what it has not seen; what generated pictures score
# comes from there, since this network knows all families that are at hand. The network goes on from
# that of the first turn's first round, with all generated pictures, and still without the sources of
# photographs that the first turn keeps: they calibrate.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATA:?name the folder that holds faces_of_both/: make default-detector DATA=...}"
bash configs/prepare.sh "$DATA"
[ -f runs/turns/all.parquet ] || python results/turns.py runs/turns
bash configs/rounds.sh all runs/turns/first/checkpoint.safetensors \
    --set epochs=3 --set learning_rate=5.0e-4
network=runs/turns/all-sized

exiface fit --encoder $network/faces --photos runs/turns/all-faces.parquet --name exiface-default \
    --license apache-2.0 --card configs/default-detector.card.md --generated results/left-out-faces.csv \
    --notice "$(python results/quote.py notice)" --output src/exiface/detector/default
whole_image() {
    exiface fit --encoder $network/windows --photos runs/turns/all-pictures.parquet \
        --name exiface-whole-image --as-sent --least-size 768 --license apache-2.0 \
        --card configs/whole-image.card.md --generated results/left-out-pictures.csv \
        --notice "$(python results/quote.py whole-image)" --output src/exiface/detector/whole-image
}
whole_image
# What is measured of it with small pictures stands in its notice, so that it is made again.
bash results/whole_photographs.sh runs/whole-photographs
python results/covered.py "$DATA"
python results/small_pictures.py "$DATA" runs/whole-photographs
whole_image
