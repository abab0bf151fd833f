"""Generators, and sources of photographs, that the default detector's recipe has never seen.

    make leave-one-out DATA=<folder that holds faces_of_both/, bench_dev/, ...>

needs runs/data/ of configs/prepare.sh and runs/photographs-only/encoder/, and writes, as
results/leave-one-out*.csv, what is found of families and of sets, what the network alone finds, how
many photographs are flagged, and the p-value of each generated face. Each of four turns leaves two
or three families of generators with their near relatives and a source of photographs out of
training and calibration. The network is trained by configs/default-detector.yaml, but for fewer
epochs than the one in the package, joined with the encoder of photographs-only, which has never
seen a generated face, and calibrated on photographs that trained neither. The development
benchmarks, on which nothing is fitted here, and all that was left out are measured. A turn takes a
core for half an hour or more, and goes on where it stopped.

    python results/leave_one_out.py WORK OUTPUT [--seeds S ...] [--set KEY=VALUE ...] [--only T ...]

does so for some seeds, turns and settings of the training.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import write
from numpy.typing import NDArray

from exiface.datasets import Manifest
from exiface.detector.fitting import crop_sides, encode_faces, fit, largest_faces, seen_by_encoder
from exiface.detector.folder import DetectorParts, write_folder
from exiface.encoders import OnnxEncoder
from exiface.encoders.joined import join
from exiface.evaluation.metrics import clopper_pearson, measure
from exiface.threads import cores

Floats = NDArray[np.float64]
DATA = Path("runs/data")
LEARNT = ("camera_faces", "camera_faces_2", "faces_of_both")
EPOCHS = 10
# As configs/default-detector.sh has it.
BESIDE = Path("runs/photographs-only/encoder")
EVIDENCE = ("generated:nan:3", "symmetry", "smoothing", "-iso_speed")
PER_CAMERA = 40
MEASURED = ("bench_dev", "bench_dev_native")
# A core a training. Freed memory is kept: handing it back at each step costs a sixth of the time.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_MMAP_THRESHOLD_": "4000000000",
}


@dataclass(frozen=True)
class Turn:
    """What one training leaves out, and what is measured against what.

    Attributes:
        name: of the turn.
        left_out: patterns of sources: generators with their near relatives, photographs.
        tested: family -> generated source -> the photographs that it is told from, at the same
            size.
    """

    name: str
    left_out: tuple[str, ...]
    tested: dict[str, dict[str, str]]


# Which Stable Diffusion "sd_dalle_mixed" holds is unknown: it goes with each of them.
MIXED = "sd_dalle_mixed*"
ANY = "all of the benchmarks"
TURNS = (
    Turn(
        "first",
        ("stylegan1*", "sd3*", MIXED, "celeba*"),
        {
            "StyleGAN 1": {"stylegan1_bench": "ffhq", "stylegan1": "ffhq"},
            "Stable Diffusion 3": {"sd3_bench": "unsplash", "sd3": ANY},
        },
    ),
    Turn(
        "second",
        ("stylegan2*", "gpt4o*", MIXED, "web*"),
        {
            "StyleGAN 2": {
                **{"stylegan2_bench": "ffhq", "stylegan2_tpdne": "ffhq", "stylegan2_omi": "ffhq"}
            },
            "SDXL": {"sdxl_bench": "figures"},
            "GPT-4o": {"gpt4o": ANY},
        },
    ),
    Turn(
        "third",
        ("stylegan3*", "sd21*", MIXED, "unsplash*"),
        {
            "StyleGAN 3": {"stylegan3_bench": "ffhq", "stylegan3": "ffhq"},
            "Stable Diffusion 2.1": {"sd21": ANY},
        },
    ),
    Turn(
        "fourth",
        ("stylegan*", "ffhq*"),
        {
            "StyleGAN 1, 2, 3 together": {
                **{"stylegan1_bench": "ffhq", "stylegan2_bench": "ffhq", "stylegan3_bench": "ffhq"}
            }
        },
    ),
)
FAMILIES = [family for turn in TURNS for family in turn.tested]
NOT_IN_THE_MEAN = ("GPT-4o", "StyleGAN 1, 2, 3 together")  # 33 images; families counted already


def train(
    left_out: Sequence[str],
    run: Path,
    settings: Sequence[str] = (),
    *,
    epochs: int = EPOCHS,
    seed: int = 0,
    data: Sequence[str] = LEARNT,
) -> None:
    """Train without some sources, on one core."""
    command = [
        sys.executable,
        "-m",
        "exiface",
        "train",
        "--config",
        "configs/default-detector.yaml",
    ]
    for name in data:
        command += ["--data", str(DATA / f"{name}.parquet")]
    for setting in (
        f"leave_out={[*left_out]}",
        f"epochs={epochs}",
        f"validate_epochs={epochs}",
        f"seed={seed}",
        "workers=1",
        *settings,
    ):
        command += ["--set", setting]
    command += ["--init", "runs/data/mobilenet_v2-b0353104.pth", "--output", str(run)]
    run.mkdir(parents=True, exist_ok=True)
    with (run / "log.txt").open("a") as log:
        subprocess.run(command, check=True, stdout=log, stderr=log, env=os.environ | ENVIRONMENT)


def scores_of(run: Path, detector: DetectorParts, faces: Manifest) -> Floats:
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


def detector_of(run: Path, learnable: Manifest, *, alone: bool = False) -> DetectorParts:
    """A run's network joined with that of photographs-only, or alone, fitted and calibrated.

    Photographs of sources that it wasn't trained with play no part.
    """
    seen = np.isin(learnable.sha256, list(seen_by_encoder(run)))
    learnt = learnable.select(np.isin(learnable.source, np.unique(learnable.source[seen])))
    if alone:
        return fit(run, learnt, name=run.name, per_camera=PER_CAMERA)
    join(run, BESIDE, run / "joined")
    return fit(
        run / "joined",
        learnt,
        name=run.name,
        evidence=EVIDENCE,
        fit_split="validation",
        per_camera=PER_CAMERA,
    )


Rows = list[dict[str, object]]


def measured(
    turn: Turn, run: Path, learnable: Manifest, benchmark: Manifest
) -> tuple[Rows, Rows, Rows, Rows]:
    """Rows of the sets, of the network alone, of photographs and of generated faces of one turn.

    Its detector is kept in run/detector.
    """
    seen = np.isin(learnable.sha256, list(seen_by_encoder(run)))
    known = np.unique(learnable.source[seen])
    faces = Manifest.joined([largest_faces(learnable.select(~seen)), largest_faces(benchmark)])
    of_benchmark = np.isin(faces.sha256, benchmark.sha256)
    # Photographs of the sources that it knows, but for the benchmark's, have calibrated it.
    measurable = ~faces.generated & (of_benchmark | ~np.isin(faces.source, known))

    def judged(detector: DetectorParts, folder: Path) -> tuple[Floats, Floats]:
        scores = scores_of(folder, detector, faces)
        return scores, detector.calibration.p_value(scores, sides)

    alone = detector_of(run, learnable, alone=True)
    sides = crop_sides(alone.encoder.preprocessing, faces)
    of_network = judged(alone, run)
    detector = detector_of(run, learnable)
    write_folder(detector, run / "detector")
    scores, p_values = judged(detector, run / "joined")
    flagged = p_values <= detector.calibration.alpha

    sets: Rows = []
    network: Rows = []
    generated: Rows = []
    for family, source, against in (
        (family, *item) for family, tested in turn.tested.items() for item in tested.items()
    ):
        for size in ("", "_native"):
            fake = faces.source == source + size
            if not fake.any():
                continue
            native = np.char.endswith(faces.source, "_native") == bool(size)
            real = ~faces.generated & of_benchmark & native
            if against != ANY:
                real &= faces.source == against + size
            row = {
                "family": family,
                "generated": source,
                "size": "native" if size else "same",
                "faces": int(fake.sum()),
                "against": against,
                "photographs": int(real.sum()),
            }
            for rows, (values, p) in ((sets, (scores, p_values)), (network, of_network)):
                rows.append(
                    row
                    | {
                        "auc": measure(values[real], values[fake]).auc,
                        "flagged": float((p[fake] <= detector.calibration.alpha).mean()),
                    }
                )
            generated += [
                {"family": family, "generated": source, "side": int(side), "p_value": float(p)}
                for side, p in zip(sides[fake], p_values[fake], strict=True)
            ]
    alarms: Rows = []
    for source in np.unique(faces.source[measurable]):
        rows = measurable & (faces.source == source)
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
    return sets, network, alarms, generated


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
    given = parser.parse_args()
    learnable = Manifest.joined([Manifest.read(DATA / f"{name}.parquet") for name in LEARNT])
    benchmark = Manifest.joined([Manifest.read(DATA / f"{name}.parquet") for name in MEASURED])
    turns = [(turn, seed) for seed in given.seeds for turn in TURNS if turn.name in given.only]

    def work(turn: Turn, seed: int) -> tuple[Rows, ...]:
        run = given.work / f"{turn.name}-{seed}"
        train(turn.left_out, run, given.settings, seed=seed)
        found = measured(turn, run, learnable, benchmark)
        for row in (row for rows in found for row in rows):
            row["seed"] = seed
        mean = np.mean([(row["auc"], row["flagged"]) for row in found[0]], axis=0)
        print(turn.name, seed, "AUC {:.3f}, flagged {:.2f}".format(*mean), flush=True)
        return found

    with ThreadPoolExecutor(given.jobs or cores()) as pool:
        found = list(pool.map(lambda job: work(*job), turns))
    sets, network, alarms, generated = (
        [row for rows in part for row in rows] for part in zip(*found, strict=True)
    )

    def beside(name: str) -> Path:
        return given.output.with_stem(f"{given.output.stem}-{name}")

    write(summary(sets), given.output)
    write(sets, beside("sets"))
    write(summary(network), beside("network"))
    write(of_sources(alarms), beside("photographs"))
    write([row for row in generated if row["family"] not in NOT_IN_THE_MEAN], beside("faces"))


if __name__ == "__main__":
    main()
