"""What the parts of the default detector's training are worth, one change at a time.

    make shares DATA=<folder that holds faces_of_both/, bench_dev/, ...>

needs runs/data/ of configs/prepare.sh and writes results/shares.csv. Each row is one training of
the first turn of results/leave_one_out.py (StyleGAN 1, Stable Diffusion 3 and their relatives left
out, CelebA too), for a sixth of that turn's draws; two run side by side, a core and five minutes
each. "Photographs only" sees no generated face but photographs decoded by an autoencoder.
Figures are means over the five generators of the development benchmark, each against the
photographs of its own set, and over the two of them that were left out.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from common import GENERATED, REAL, folder_of, write
from leave_one_out import (
    AS_SENT,
    DATA,
    LEARNT,
    MEASURED,
    PER_CAMERA,
    TURNS,
    scores_of,
    train,
)

from exiface.datasets import Manifest
from exiface.detector.encoding import crop_sides, largest_faces
from exiface.detector.fitting import fit
from exiface.encoders.runtime import seen_by_encoder
from exiface.evaluation.metrics import measure
from exiface.threads import cores

EPOCHS = 6
WORK = Path("runs/shares")
LEFT_OUT = TURNS[0].left_out
UNSEEN = ("D1/stylegan1", "D4/sd3")
RESYNTHESIS = (*LEARNT, "resynthesis")
EVERY_GENERATOR = ("stylegan*", "sd*", "gpt4o*", "celeba*")
# name -> (settings that differ, manifests, what is left out)
VARIANTS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "as it is": ((), LEARNT, LEFT_OUT),
    "no camera tags, no manipulations": (
        ("shares.ranking=0", "shares.manipulation=0", "drawing.manipulated=0"),
        LEARNT,
        LEFT_OUT,
    ),
    "camera tags and manipulations weigh ten times as much": (
        ("shares.ranking=1", "shares.manipulation=0.5"),
        LEARNT,
        LEFT_OUT,
    ),
    "and resynthesis": ((), RESYNTHESIS, LEFT_OUT),
    "no retouching": (
        ("augmentation.retouch=0", "augmentation.retouch_generated=0"),
        LEARNT,
        LEFT_OUT,
    ),
    "label smoothing 0.1": (("label_smoothing=0.1",), LEARNT, LEFT_OUT),
    "a fifth of the way back to ImageNet's weights": (("start_share=0.2",), LEARNT, LEFT_OUT),
    "photographs only": ((), RESYNTHESIS, EVERY_GENERATOR),
}


def figures(run: Path, learnable: Manifest, benchmark: Manifest) -> dict[str, float]:
    """Mean AUC, what is flagged and the most false alarms of a set, same size and native."""
    seen = np.isin(learnable.sha256, list(seen_by_encoder(run)))
    known = learnable.select(np.isin(learnable.source, np.unique(learnable.source[seen])))
    detector = fit(run, known, name=run.name, per_camera=PER_CAMERA, as_sent=AS_SENT)
    scores = scores_of(run, detector, benchmark)
    sides = crop_sides(detector.encoder.preprocessing, benchmark)
    flagged = detector.calibration.p_value(scores, sides) <= detector.calibration.alpha
    folder = np.array([str(Path(path).parent) for path in benchmark.path])
    found: dict[str, float] = {}
    for name in MEASURED:
        rows = {
            each: np.char.endswith(folder, f"{name}/{each}")
            for each in (*GENERATED.values(), f"{REAL[-1]}/real", *map(folder_of, GENERATED))
        }
        auc = {
            each: measure(scores[rows[real]], scores[rows[folder_of(each)]]).auc
            for each, real in GENERATED.items()
        }
        prefix = "" if name == MEASURED[0] else "native "
        found[f"{prefix}mean"] = float(np.mean(list(auc.values())))
        found[f"{prefix}left out"] = float(np.mean([auc[each] for each in UNSEEN]))
        found[f"{prefix}flagged"] = float(
            np.mean([flagged[rows[folder_of(each)]].mean() for each in GENERATED])
        )
        found[f"{prefix}highest false alarms"] = max(
            float(flagged[rows[f"{each}/real"]].mean()) for each in REAL
        )
    return found


def main(output: Path, only: list[str]) -> None:
    learnable = Manifest.joined([Manifest.read(DATA / f"{name}.parquet") for name in LEARNT])
    benchmark = largest_faces(
        Manifest.joined([Manifest.read(DATA / f"{name}.parquet") for name in MEASURED])
    )

    def work(name: str) -> dict[str, object]:
        settings, data, left_out = VARIANTS[name]
        run = WORK / name.replace(" ", "-").replace(",", "")
        train(left_out, run, (f"epochs={EPOCHS}", *settings), data=data)
        row = {"what": name} | figures(run, learnable, benchmark)
        print(row, flush=True)
        return row

    with ThreadPoolExecutor(cores()) as pool:
        write(list(pool.map(work, only or VARIANTS)), output)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
