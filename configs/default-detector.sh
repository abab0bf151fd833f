#!/usr/bin/env bash
# The default detector inside the package, which has seen generated faces in training:
#
#     make default-detector DATA=<folder that holds camera_faces/, faces_of_both/, bench_dev/ ...>
#
# An hour on two cores; interrupted, it goes on where it stopped. Writes runs/network/ and, at the
# end, src/exiface/detector/default/. How it fares on generators and photographs that it has not
# seen is measured by `make leave-one-out`.
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
# Freed memory is kept: handing it back to the system at each step costs a sixth of the time.
MALLOC_TRIM_THRESHOLD_=4000000000 MALLOC_MMAP_THRESHOLD_=4000000000 \
    exiface train "${manifests[@]/#/--data=}" --config configs/default-detector.yaml \
    --init "$weights" --output runs/network
