"""How well photographs-only's heads rank camera tags, on groups that training never saw.

    make tags

needs runs/photographs-only/ of `make photographs-only-detector` and writes
results/photographs-only-tags.csv in half a minute. Training's own validation has few groups; those
of fit and calibration are as unseen by the heads, and stand beside it. Intervals: percentile
bootstrap over groups, 1,000 draws.
"""

import sys
from pathlib import Path

import numpy as np
from common import write
from numpy.typing import NDArray
from scipy.stats import spearmanr

from exiface.datasets import Manifest, cap
from exiface.detector.encoding import encode_faces
from exiface.encoders import EncoderFolder
from exiface.photos import TAG_NAMES

SPLITS = ("validation", "fit", "calibration")
DRAWS = 1000


def correlation(outputs: NDArray[np.float32], tags: NDArray[np.float64]) -> float:
    return float(spearmanr(outputs, tags, nan_policy="omit").statistic)


def interval(
    outputs: NDArray[np.float32], tags: NDArray[np.float64], groups: NDArray[np.str_]
) -> tuple[float, float]:
    """Of the correlation, 95 %, groups drawn with replacement."""
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    drawn = []
    for _ in range(DRAWS):
        chosen = np.concatenate(
            [members[each] for each in rng.integers(len(members), size=len(members))]
        )
        drawn.append(correlation(outputs[chosen], tags[chosen]))
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def main(output: Path) -> None:
    encoder_folder = Path("runs/photographs-only/encoder")
    encoder = EncoderFolder.read(encoder_folder).open()
    heads = EncoderFolder.read(encoder_folder).heads
    weights = np.stack([heads[tag] for tag in TAG_NAMES], axis=1)
    manifest = Manifest.read(Path("runs/photographs-only/manifest.parquet")).of_split(*SPLITS)
    kept = cap(manifest.photo, manifest.camera, per_photo=4, per_camera=80, seed=0)
    manifest = manifest.select(kept)
    outputs = encode_faces(encoder, manifest) @ weights
    groups = np.asarray(manifest.group_or_photo(), dtype=str)
    rows = []
    for split in ("all", *SPLITS):
        of = np.ones(len(manifest), bool) if split == "all" else manifest.split == split
        for column, tag in enumerate(TAG_NAMES):
            pair = outputs[of, column], manifest.tags[of, column]
            low, high = interval(*pair, groups[of])
            rows.append(
                {
                    "faces of": split,
                    "tag": tag,
                    "faces": int(np.isfinite(pair[1]).sum()),
                    "groups": len(np.unique(groups[of])),
                    "spearman": correlation(*pair),
                    "low": low,
                    "high": high,
                }
            )
    write(rows, output)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
