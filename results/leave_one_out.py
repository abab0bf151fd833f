"""What supervision buys: the detector `binary`, its head trained on some of the examples only.

    make leave-one-out DATA=<folder that holds bench_dev/ and bench_dev_native/>

needs runs/default/ of `make default-detector` and writes results/binary-detector.csv; three minutes
on two cores. Three things are left out in turn: `image`, a fifth of the images of each set, so that
the generators are known and the images are not; `set`, a whole set of the benchmark, photographs
included; `family`, the GANs or the diffusion models together. The signs of the default detector
stand beside the head, as in the package.
"""

import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from common import (
    BENCHMARKS,
    GENERATED,
    REAL,
    Features,
    benchmark_faces,
    folder_of,
    of_camera,
    write,
)
from numpy.typing import NDArray

from exiface.datasets import Manifest, cap
from exiface.density import Calibration, Evidence
from exiface.density.evidence import directions_of
from exiface.detector.cross_check import read_heads
from exiface.detector.fitting import encode_faces
from exiface.detector.supervised import drawn_views, learn
from exiface.encoders import OnnxEncoder, read_encoder
from exiface.evaluation.metrics import measure

VIEWS = 2
STRENGTH = 0.01
SIGNS = ("generated", "symmetry", "smoothing", "-iso_speed")  # as configs/binary-detector.sh has it
SETS = REAL[:4]
FOLDS = 5
Rows = NDArray[np.intp]
LEFT_OUT = {
    "set": [(name,) for name in SETS],
    "family": [SETS[:2], SETS[2:]],
}
Choice = tuple[dict[str, Rows], dict[str, Rows]]  # folder -> rows to learn from, rows to measure


def choices(sizes: dict[str, int], how: str) -> list[Choice]:
    """What is learnt from and what is measured, of each turn."""
    everything = {folder: np.arange(size) for folder, size in sizes.items()}
    if how == "image":
        part = {folder: rows % FOLDS for folder, rows in everything.items()}
        return [
            (
                {folder: np.flatnonzero(part[folder] != turn) for folder in sizes},
                {folder: np.flatnonzero(part[folder] == turn) for folder in sizes},
            )
            for turn in range(FOLDS)
        ]

    def of(sets: Collection[str]) -> dict[str, Rows]:
        return {f: rows for f, rows in everything.items() if f.split("/")[0] in sets}

    return [(of(set(SETS) - set(left_out)), of(left_out)) for left_out in LEFT_OUT[how]]


def main(data: Path, output: Path) -> None:
    manifest = Manifest.read(Path("runs/default/manifest.parquet"))
    encoder = OnnxEncoder(*read_encoder(Path("runs/default/encoder")))

    def views(faces: Manifest, manipulated: int = 0) -> Features:
        crops = drawn_views(encoder, faces, manipulated, views=VIEWS, seed=0)
        return np.concatenate([encoder.encode(batch) for batch in crops])

    faces = {name: benchmark_faces(data, name) for name in BENCHMARKS}
    clean = {
        f"{benchmark}/{folder}": encode_faces(encoder, found)
        for benchmark, folders in faces.items()
        for folder, found in folders.items()
    }
    learnable = {
        folder: found
        for folder, found in faces[BENCHMARKS[0]].items()
        if folder.split("/")[0] in SETS
    }
    sizes = {folder: len(found) for folder, found in learnable.items()}
    seen = {folder: views(found) for folder, found in learnable.items()}
    camera = manifest.of_split("train")
    camera = camera.select(cap(camera.photo, camera.camera, per_photo=4, per_camera=80, seed=0))
    untouched, smoothed = views(camera), views(camera, 1)
    fit = of_camera(encoder, manifest, "fit", per_photo=4)
    calibration = of_camera(encoder, manifest, "calibration", per_photo=1)
    heads = read_heads(Path("runs/default/encoder"))

    rows = []
    for how in ("image", *LEFT_OUT):
        found: dict[str, list[dict[str, float]]] = {name: [] for name in GENERATED}
        for known, left_out in choices(sizes, how):
            learnt = {
                folder: np.concatenate(
                    [seen[folder][view * sizes[folder] + chosen] for view in range(VIEWS)]
                )
                for folder, chosen in known.items()
            }
            photographs = [learnt[folder] for folder in known if folder.endswith("/real")]
            generated = [learnt[folder] for folder in known if not folder.endswith("/real")]
            classifier = learn(
                np.concatenate([*photographs, untouched]),
                np.concatenate([*generated, smoothed]),
                strength=STRENGTH,
            )
            directions = directions_of(heads | {"generated": classifier.direction}, SIGNS)
            evidence = Evidence(directions).fit(fit)
            calibrated = Calibration.of(evidence.score(calibration))
            for name, real in GENERATED.items():
                if real not in left_out:
                    continue
                row: dict[str, float] = {}
                # The same images at another size have been learnt from where images are left out.
                for benchmark in BENCHMARKS[: 1 if how == "image" else 2]:
                    pair = [clean[f"{benchmark}/{folder}"] for folder in (real, folder_of(name))]
                    if how == "image":
                        places = (left_out[real], left_out[folder_of(name)])
                        pair = [part[at] for part, at in zip(pair, places, strict=True)]
                    prefix = "" if benchmark == BENCHMARKS[0] else "native "
                    measured = figures_of(evidence, calibrated, pair)
                    row |= {prefix + what: value for what, value in measured.items()}
                found[name].append(row)
        means = {name: _mean(turns) for name, turns in found.items()}
        means["mean"] = _mean(list(means.values()))
        rows += [{"left out": how, "generator": name} | row for name, row in means.items()]
    write(rows, output)


def figures_of(
    evidence: Evidence, calibrated: Calibration, pair: Sequence[Features]
) -> dict[str, float]:
    """AUC and shares flagged of photographs and generated faces."""
    scores = [evidence.score(part) for part in pair]
    flagged = [float((calibrated.p_value(part) <= 0.05).mean()) for part in scores]
    return {"auc": measure(*scores).auc, "false alarms": flagged[0], "flagged": flagged[1]}


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
