"""Generators, and sources of photographs, that the default detector's recipe has never seen.

    make leave-one-out DATA=<folder that holds faces_of_both/, bench_dev/, ...>

needs runs/data/ of configs/prepare.sh and writes, as results/leave-one-out*.csv, what is found of
families and of sets, how many photographs are flagged, and the p-value of each generated face. Each
of four turns leaves two or three families of generators with their near relatives and a source of
photographs out of training and calibration; the network is trained by configs/default-detector.yaml
as the one in the package is in its first stage, and calibrated on photographs that didn't train it.
The development benchmarks, on which nothing is fitted here, and all that was left out are measured.
A turn takes a core for half an hour or more, and goes on where it stopped. `make
leave-one-out-short` trains in the two stages that the package's network has, of 10 and 8 epochs.

    python results/leave_one_out.py WORK OUTPUT [--short] [--seeds S ...] [--set KEY=VALUE ...]

does so for some seeds and settings of the training.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from common import write
from numpy.typing import NDArray
from turns import FAMILIES, NOT_IN_THE_MEAN, TURNS, Turn, pairs

from exiface.datasets import Manifest
from exiface.detector.encoding import crop_sides, encode_faces, largest_faces
from exiface.detector.fitting import fit
from exiface.detector.folder import DetectorParts, write_folder
from exiface.encoders import OnnxEncoder
from exiface.encoders.runtime import seen_by_encoder
from exiface.evaluation.metrics import clopper_pearson, measure
from exiface.threads import cores

DATA = Path("runs/data")
LEARNT = ("camera_faces", "camera_faces_2", "faces_of_both")
# (suffix of the folder, settings) of each stage.
Stages = tuple[tuple[str, tuple[str, ...]], ...]
STAGES: Stages = (("", ("epochs=36",)),)
SHORT: Stages = (  # the package's network has 36 epochs and 12
    ("", ("epochs=10", "validate_epochs=10")),
    (
        "-larger",
        (
            "window=192",
            "epochs=8",
            "validate_epochs=8",
            "learning_rate=4.0e-4",
            "start_share=0.5",
        ),
    ),
)
START = Path("runs/data/mobilenet_v2-b0353104.pth")
PER_CAMERA, AS_SENT = 40, False  # as configs/default-detector.sh has it
MEASURED = ("bench_dev", "bench_dev_native")
ENVIRONMENT = {"OMP_NUM_THREADS": "1"}  # a core a training


def train(
    left_out: Sequence[str],
    run: Path,
    settings: Sequence[str] = (),
    *,
    start: Path = START,
    seed: int = 0,
    data: Sequence[str] = LEARNT,
    config: str = "configs/default-detector.yaml",
) -> None:
    """Train without some sources, on one core."""
    command = [sys.executable, "-m", "exiface", "train", "--config", config]
    for name in data:
        command += ["--data", str(DATA / f"{name}.parquet")]
    for setting in (f"leave_out={[*left_out]}", f"seed={seed}", "workers=1", *settings):
        command += ["--set", setting]
    command += ["--init", str(start), "--output", str(run)]
    run.mkdir(parents=True, exist_ok=True)
    with (run / "log.txt").open("a") as log:
        subprocess.run(command, check=True, stdout=log, stderr=log, env=os.environ | ENVIRONMENT)


def train_in_stages(
    left_out: Sequence[str], run: Path, settings: Sequence[str] = (), *, stages: Stages, seed: int
) -> Path:
    """Train stage upon stage; the folder of the last."""
    start = START
    for suffix, of_stage in stages:
        folder = run.with_name(run.name + suffix)
        train(left_out, folder, (*of_stage, *settings), start=start, seed=seed)
        start = folder / "checkpoint.safetensors"
    return folder


def scores_of(run: Path, detector: DetectorParts, faces: Manifest) -> NDArray[np.float64]:
    """Scores of faces; kept beside the run."""
    kept = run / "scores.npz"
    if kept.exists():
        stored = np.load(kept)
        if np.array_equal(stored["sha256"], faces.sha256):
            return np.asarray(stored["scores"])
    encoder = OnnxEncoder(detector.model, detector.encoder, threads=1)
    scores = detector.scorer.score(encode_faces(encoder, faces))
    np.savez(kept, sha256=faces.sha256, scores=scores)
    return scores


def measured(
    turn: Turn, run: Path, learnable: Manifest, benchmark: Manifest
) -> tuple[list[dict], list[dict], list[dict]]:
    """Rows of generators, of photographs and of faces of one turn; its detector is kept."""
    seen = np.isin(learnable.sha256, list(seen_by_encoder(run)))
    known = np.unique(learnable.source[seen])
    learnt = learnable.select(np.isin(learnable.source, known))
    detector = fit(
        run, learnt, name=f"left-out-{turn.name}", per_camera=PER_CAMERA, as_sent=AS_SENT
    )
    write_folder(detector, run / "detector")
    faces = Manifest.joined([largest_faces(learnable.select(~seen)), largest_faces(benchmark)])
    scores = scores_of(run, detector, faces)
    of_benchmark = np.isin(faces.sha256, benchmark.sha256)
    photographs = ~faces.generated
    # Those of the sources that it knows, but for the benchmark's, have calibrated it.
    measurable = of_benchmark | ~np.isin(faces.source, known)
    calibration = detector.calibration
    sides = crop_sides(detector.encoder.preprocessing, faces)
    p_values = calibration.p_value(scores, sides)
    flagged = p_values <= calibration.alpha

    generators, alarms, judged = [], [], []
    for pair in pairs(turn, faces, photographs & of_benchmark):
        fake, real = pair.fake, pair.real
        generators.append(
            {
                "family": pair.family,
                "generated": pair.source,
                "size": "native" if pair.size else "same",
                "faces": int(fake.sum()),
                "against": pair.against,
                "photographs": int(real.sum()),
                "auc": measure(scores[real], scores[fake]).auc,
                "flagged": float(flagged[fake].mean()),
            }
        )
        generated = pair.source + pair.size
        judged += [
            {"family": pair.family, "generated": generated, "side": side, "p_value": p}
            for side, p in zip(sides[fake].tolist(), p_values[fake].tolist(), strict=True)
        ]
    for source in np.unique(faces.source[photographs]):
        rows = photographs & measurable & (faces.source == source)
        if not rows.any():
            continue
        low, high = clopper_pearson(int(flagged[rows].sum()), int(rows.sum()))
        alarms.append(
            {
                "turn": turn.name,
                "source": source,
                "others of it fitted": "yes" if source in known else "no",
                "photographs": int(rows.sum()),
                "flagged": float(flagged[rows].mean()),
                "flagged_low": low,
                "flagged_high": high,
            }
        )
    return generators, alarms, judged


def summary(rows: list[dict]) -> list[dict]:
    """One row a family and size, means over its sets; then the mean over families."""
    found = []
    for size in ("same", "native"):
        of_size = []
        for family in FAMILIES:
            mine = [row for row in rows if (row["family"], row["size"]) == (family, size)]
            if mine:
                of_size.append(
                    {
                        "family": family,
                        "size": size,
                        "faces": sum(row["faces"] for row in mine)
                        // len({r["seed"] for r in mine}),
                        "seeds": len({row["seed"] for row in mine}),
                        "auc": float(np.mean([row["auc"] for row in mine])),
                        "flagged": float(np.mean([row["flagged"] for row in mine])),
                    }
                )
        mean = [row for row in of_size if row["family"] not in NOT_IN_THE_MEAN]
        of_size.append(
            {
                "family": f"mean of {len(mean)}",
                "size": size,
                "auc": float(np.mean([row["auc"] for row in mean])),
                "flagged": float(np.mean([row["flagged"] for row in mean])),
            }
        )
        found += of_size
    return found


def of_sources(alarms: list[dict]) -> list[dict]:
    """One row a source of photographs, and whether others of it were fitted on: means and worst."""
    rows = []
    for key in sorted({(row["others of it fitted"], row["source"]) for row in alarms}):
        mine = [row for row in alarms if (row["others of it fitted"], row["source"]) == key]
        worst = max(mine, key=lambda row: row["flagged"])
        rows.append(
            {
                "others of it fitted": key[0],
                "source": key[1],
                "photographs": worst["photographs"],
                "turns": len(mine),
                "flagged": float(np.mean([row["flagged"] for row in mine])),
                "worst": worst["flagged"],
                "worst_low": worst["flagged_low"],
                "worst_high": worst["flagged_high"],
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--only", nargs="+", default=[turn.name for turn in TURNS])
    parser.add_argument("--jobs", type=int, help="turns side by side; without it, one a core")
    parser.add_argument("--short", action="store_true", help="fewer epochs, in two stages")
    given = parser.parse_args()
    stages = SHORT if given.short else STAGES
    learnable = Manifest.joined([Manifest.read(DATA / f"{name}.parquet") for name in LEARNT])
    benchmark = Manifest.joined([Manifest.read(DATA / f"{name}.parquet") for name in MEASURED])
    turns = [(turn, seed) for seed in given.seeds for turn in TURNS if turn.name in given.only]

    def work(turn: Turn, seed: int) -> tuple[list[dict], list[dict], list[dict]]:
        run = given.work / f"{turn.name}-{seed}"
        run = train_in_stages(turn.left_out, run, given.settings, stages=stages, seed=seed)
        rows, alarms, judged = measured(turn, run, learnable, benchmark)
        for row in rows + alarms:
            row["seed"] = seed
        mean = np.mean([(row["auc"], row["flagged"]) for row in rows], axis=0)
        print(turn.name, seed, "AUC {:.3f}, flagged {:.2f}".format(*mean), flush=True)
        return rows, alarms, judged

    with ThreadPoolExecutor(given.jobs or cores()) as pool:
        found = list(pool.map(lambda job: work(*job), turns))
    rows = [row for generators, _, _ in found for row in generators]
    write(summary(rows), given.output)
    write(rows, given.output.with_stem(f"{given.output.stem}-sets"))
    alarms = [row for _, of_turn, _ in found for row in of_turn]
    write(of_sources(alarms), given.output.with_stem(f"{given.output.stem}-photographs"))
    # The detector in the package holds those of the short trainings (configs/default-detector.sh).
    counted = [row for _, _, of_turn in found for row in of_turn]
    counted = [row for row in counted if row["family"] not in NOT_IN_THE_MEAN]
    write(counted, given.output.with_stem(f"{given.output.stem}-faces"))


if __name__ == "__main__":
    main()
