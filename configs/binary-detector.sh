#!/usr/bin/env bash
# The detector `binary` inside the package, which has seen generated faces in training:
#
#     make binary-detector DATA=<folder that holds bench_dev/>
#
# after `make default-detector`, whose encoder it takes. Three minutes on two cores. Writes
# runs/binary/ and src/exiface/detector/binary/. How it fares on generators that it has not seen is
# measured by `make leave-one-out`.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATA:?name the folder that holds bench_dev/: make binary-detector DATA=...}"
bench="$DATA/bench_dev"
work=runs/binary
mkdir -p "$work"

exiface supervise --encoder runs/default/encoder --photos runs/default/manifest.parquet --views 2 \
    --real "$bench/D1_stylegan1/real" --real "$bench/D2_stylegan2_3/real" \
    --real "$bench/D3_sdxl/real" --real "$bench/D4_sd3/real" \
    --fake "$bench/D1_stylegan1/stylegan1" --fake "$bench/D2_stylegan2_3/stylegan2" \
    --fake "$bench/D2_stylegan2_3/stylegan3" --fake "$bench/D3_sdxl/sdxl" \
    --fake "$bench/D4_sd3/sd3" --output "$work/encoder"
exiface fit --encoder "$work/encoder" --photos runs/default/manifest.parquet \
    --name exiface-binary --evidence generated --evidence symmetry --evidence smoothing \
    --evidence=-iso_speed --as-sent \
    --per-photo 4 --per-camera 40 --card configs/binary-detector.card.md \
    --notice "It has seen faces of five generators (StyleGAN 1 to 3, SDXL, Stable Diffusion 3) and finds \
three in ten of theirs; of other generators it finds no more than the default detector." \
    --output src/exiface/detector/binary
