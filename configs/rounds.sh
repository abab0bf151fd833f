#!/usr/bin/env bash
# Train the network of a turn, or the one that ships ("all"), in three rounds: each goes on from the
# weights of the one before, at a learning rate that rises and falls again. The third learns at the
# size in use: crops of 256 px at most, as generated faces have, and windows shrunk more often than
# enlarged. Rounds that are done are left as they are, and one that was interrupted goes on.
#
#     bash configs/rounds.sh TURN START [settings of the first round]
set -euo pipefail
turn=$1 start=$2
shift 2

round() { # the run, the weights that it starts from, settings
    exiface train --data "runs/turns/$turn.parquet" --config default-detector \
        --output "runs/turns/$1" --init "$2" "${@:3}"
}
round "$turn" "$start" "$@"
round "$turn-more" "runs/turns/$turn/checkpoint.safetensors" \
    --set epochs=3 --set learning_rate=5.0e-4
round "$turn-sized" "runs/turns/$turn-more/checkpoint.safetensors" \
    --set epochs=3 --set learning_rate=4.0e-4 --set seed=43 --set largest=256 \
    --set augmentation.scale=0.9 --set "augmentation.scale_range=[0.55, 1.15]"
run=runs/turns/$turn-sized
[ -f "$run/windows/encoder.onnx" ] || python configs/in_use.py "$run" # which writes windows/ last
