"""What the scripts here share: the benchmarks, encoded, and how a score does on them."""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exiface.calibration import Calibration
from exiface.datasets import Manifest, cap, scan
from exiface.detector.encoding import encode_faces, encode_sent, largest_faces
from exiface.encoders import OnnxEncoder
from exiface.evaluation.metrics import measure

GENERATED = {
    "D1/stylegan1": "D1_stylegan1/real",
    "D2/stylegan2": "D2_stylegan2_3/real",
    "D2/stylegan3": "D2_stylegan2_3/real",
    "D3/sdxl": "D3_sdxl/real",
    "D4/sd3": "D4_sd3/real",
}
REAL = ("D1_stylegan1", "D2_stylegan2_3", "D3_sdxl", "D4_sd3", "R1_utkface")
BENCHMARKS = ("bench_dev", "bench_dev_native")
Features = NDArray[np.float32]
Score = Callable[[Features], NDArray[np.float64]]


def folder_of(name: str) -> str:
    """The folder of a generated set, such as D2_stylegan2_3/stylegan3 of D2/stylegan3."""
    return f"{GENERATED[name].split('/')[0]}/{name.split('/')[1]}"


def folders() -> list[str]:
    """All folders of a benchmark."""
    return [f"{name}/real" for name in REAL] + [folder_of(name) for name in GENERATED]


def benchmark_faces(data: Path, benchmark: str) -> dict[str, Manifest]:
    """The largest face of each image, by folder."""
    return {
        folder: largest_faces(scan(data / benchmark / folder, fractions={"train": 1.0})[0])
        for folder in folders()
    }


def encoded(data: Path, encoder: OnnxEncoder) -> dict[str, Features]:
    """Features of both benchmarks, by benchmark/folder."""
    return {
        f"{benchmark}/{folder}": encode_faces(encoder, faces)
        for benchmark in BENCHMARKS
        for folder, faces in benchmark_faces(data, benchmark).items()
    }


def of_camera(encoder: OnnxEncoder, manifest: Manifest, *splits: str, per_photo: int) -> Features:
    """Features of camera photographs, chosen and encoded as `exiface fit` does it."""
    faces = manifest.of_split(*splits)
    if per_photo == 1:
        faces = largest_faces(faces)
    kept = cap(faces.photo, faces.camera, per_photo=per_photo, per_camera=40, seed=0)
    return encode_sent(encoder, faces.select(kept), seed=0)


def figures(score: Score, features: dict[str, Features], calibration: Features) -> dict[str, float]:
    """AUC of each generator and on average; what is flagged at the promised 5 %.

    "flagged" is the mean share over the generators, "highest false alarms" the share of the real
    set with the most; both also where pixels were never resized.

    Args:
        score: of features, higher = more suspicious.
        features: of the benchmarks (see `encoded`).
        calibration: features of the calibration photographs.
    """
    found: dict[str, float] = {}
    calibrated = Calibration.of(score(calibration))
    for benchmark in BENCHMARKS:
        prefix = "" if benchmark == "bench_dev" else "native "
        scores = {folder: score(features[f"{benchmark}/{folder}"]) for folder in folders()}
        flagged = {
            folder: float((calibrated.p_value(values) <= 0.05).mean())
            for folder, values in scores.items()
        }
        for name, real in GENERATED.items():
            found[prefix + name] = measure(scores[real], scores[folder_of(name)]).auc
        found[f"{prefix}mean"] = float(np.mean([found[prefix + name] for name in GENERATED]))
        found[f"{prefix}flagged"] = float(np.mean([flagged[folder_of(n)] for n in GENERATED]))
        found[f"{prefix}highest false alarms"] = max(flagged[f"{name}/real"] for name in REAL)
    return found


def summary(seeds: Iterable[dict[str, float]]) -> dict[str, float]:
    """Means over seeds, and the standard deviation of the two mean AUCs."""
    rows = list(seeds)
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    spread = {
        f"{name} spread": float(np.std([row[name] for row in rows], ddof=1))
        for name in ("mean", "native mean")
        if len(rows) > 1
    }
    return {"seeds": len(rows)} | means | spread


def write(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write rows as CSV, figures with three decimals."""
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(dict.fromkeys(key for row in rows for key in row)))
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {
                    key: round(value, 3) if isinstance(value, float) else value
                    for key, value in row.items()
                }
            )
