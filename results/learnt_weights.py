"""Does it help that the weights of losses learn? Equal weights against learnt ones.

    make learnt-weights DATA=<folder that holds camera_faces/, faces_of_both/, bench_dev/, ...>

needs runs/data/ of configs/prepare.sh and writes results/learnt-weights.csv, means over three seeds
and their spread, and results/learnt-weights-values.csv, the weights at the end. An hour on two
cores; it goes on where it stopped. Two networks learn:

- "generated left out": the default detector's, in small (windows of 80 px, two epochs), without
  what the first turn keeps (results/turns.py), on which it is measured. The primary task is to tell
  generated faces. The table holds the figures of version 0.2, whose turns kept StyleGAN 1, Stable
  Diffusion 3 and CelebA.
- "photographs only": BLADES in small, six epochs of the settings blades-small on camera faces,
  started from ImageNet; measured by a mixture over its features on the development benchmarks. The
  primary task is whether a face was manipulated.

The detector photographs-only has a frozen backbone, so that its tasks share no parameter, and what
one weighs says nothing to the others: there is nothing to learn there.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from common import encoded, figures, of_camera, write
from left_out import START, SUBJECTS, WORK, subject_of

from exiface.datasets import Manifest
from exiface.detector.encoding import encode_faces
from exiface.detector.fitting import read_classifier
from exiface.encoders import EncoderFolder
from exiface.evaluation.metrics import measure
from exiface.scoring import Classifier, GaussianMixture
from exiface.threads import cores

RUNS = Path("runs/learnt-weights")
SEEDS = (0, 1, 2)
EQUAL = "shares={ranking: 1, classes: 1, manipulation: 1, regions: 1, generated: 1}"
LEARNT_WEIGHTS = "learnt_weights={primary: generated, learning_rate: 3.0e-3, batch: 0.5}"
SMALL = ("window=80", "epochs=2", "validate_epochs=2")
FEW = ("epochs=6", "validate_epochs=6")
DATA = Path("runs/data")
ENVIRONMENT = {"OMP_NUM_THREADS": "1"}  # a core a training
COMPONENTS = 10  # as published
Figures = dict[str, float]


def train(data: Path, run: Path, settings: tuple[str, ...], seed: int, config: str) -> None:
    """Train on one core."""
    command = [sys.executable, "-m", "exiface", "train", "--config", config]
    command += ["--data", str(data), "--init", str(START), "--output", str(run)]
    for setting in (f"seed={seed}", "workers=1", *settings):
        command += ["--set", setting]
    run.mkdir(parents=True, exist_ok=True)
    with (run / "log.txt").open("a") as log:
        subprocess.run(command, check=True, stdout=log, stderr=log, env=os.environ | ENVIRONMENT)


def generated_left_out(_: Path, run: Path, seed: int, settings: tuple[str, ...]) -> Figures:
    """Train, and tell the families left out from the photographs beside them."""
    train(WORK / "first.parquet", run, (*SMALL, *settings), seed, "default-detector")
    kept = Manifest.read(WORK / "first-kept.parquet")
    subjects = np.array([subject_of(str(path)) for path in kept.path])
    encoder = EncoderFolder.read(run).open(threads=1)
    classifier: Classifier = read_classifier(EncoderFolder.read(run))
    found = {}
    for subject, name in zip(SUBJECTS, ("auc", "native auc"), strict=False):
        real, fake = (
            classifier.score(encode_faces(encoder, kept.select(rows & (subjects == subject))))
            for rows in (kept.split == "calibration", kept.split == "fit")
        )
        found[name] = measure(real, fake).auc
    return found


def photographs_only(data: Path, run: Path, seed: int, settings: tuple[str, ...]) -> Figures:
    """Train on photographs, and see how unlikely generated faces are among their features."""
    train(DATA / "camera_faces.parquet", run, settings, seed, "blades-small")
    encoder = EncoderFolder.read(run).open(threads=1)
    manifest = Manifest.read(DATA / "camera_faces.parquet")
    fitted = of_camera(encoder, manifest, "fit", per_photo=4)
    mixture = GaussianMixture(COMPONENTS, seed=0).fit(fitted)
    measured = figures(
        lambda features: -mixture.score_samples(features),
        encoded(data, encoder),
        of_camera(encoder, manifest, "calibration", per_photo=1),
    )
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    task = [line for line in lines if "manipulation_auc" in line][-1]
    return {
        "auc": measured["mean"],
        "native auc": measured["native mean"],
        "flagged": measured["flagged"],
        "manipulation auc": task["manipulation_auc"],
        "iso spearman": task["spearman_iso_speed"],
        "exposure spearman": task["spearman_exposure_time"],
    }


Measure = Callable[[Path, Path, int, tuple[str, ...]], Figures]
# What learns, how its losses are weighed -> settings.
VARIANTS: dict[tuple[str, str], tuple[Measure, tuple[str, ...]]] = {
    ("generated left out", "equal"): (generated_left_out, (EQUAL,)),
    ("generated left out", "learnt"): (generated_left_out, (EQUAL, LEARNT_WEIGHTS)),
    ("photographs only", "equal"): (photographs_only, (*FEW, "learnt_weights=null")),
    ("photographs only", "learnt"): (photographs_only, FEW),
}


def final_weights(run: Path) -> dict[str, float]:
    """The learnt weights of a run, by loss; none where they weren't."""
    provenance = json.loads((run / "encoder.json").read_text())["provenance"]
    return dict(provenance.get("loss_weights", {}))


def main(data: Path, output: Path) -> None:
    jobs = [(key, seed) for seed in SEEDS for key in VARIANTS]

    def work(key: tuple[str, str], seed: int) -> tuple[Figures, dict[str, float]]:
        run = RUNS / f"{key[0]}-{key[1]}-{seed}".replace(" ", "-")
        kept = run / "figures.json"
        measure_, settings = VARIANTS[key]
        if not kept.exists():
            found = measure_(data, run, seed, settings)
            kept.write_text(json.dumps(found))
        found = json.loads(kept.read_text())
        print(*key, seed, found, flush=True)
        return found, final_weights(run)

    with ThreadPoolExecutor(cores()) as pool:
        done = dict(zip(jobs, pool.map(lambda job: work(*job), jobs), strict=True))
    rows, values = [], []
    for what, weights in VARIANTS:
        of_seeds = [done[(what, weights), seed] for seed in SEEDS]
        row: dict[str, object] = {"network": what, "weights": weights, "seeds": len(SEEDS)}
        for name in of_seeds[0][0]:
            numbers = [found[name] for found, _ in of_seeds]
            row |= {name: float(np.mean(numbers)), f"{name} spread": float(np.std(numbers, ddof=1))}
        rows.append(row)
        for loss in of_seeds[0][1]:
            learnt = [each[loss] for _, each in of_seeds]
            values.append(
                {
                    **{"network": what, "loss": loss, "weight": float(np.mean(learnt))},
                    **{"lowest": min(learnt), "highest": max(learnt)},
                }
            )
    write(rows, output)
    write(values, output.with_stem(f"{output.stem}-values"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
