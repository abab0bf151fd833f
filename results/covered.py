"""Of how many pictures a detector says "unsure" for their quality alone, whatever they score.

    python results/covered.py DATA

after results/turns.py (`make left-out`), whose tables judge by scores. Measures the pictures that
its turns keep against the limits of quality of the two detectors that ship, and writes
results/left-out-covered.csv; families, or sources, weigh the same. A minute on two cores.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import write
from left_out import WORK, subject_of
from left_out_tables import SUBJECTS, mean_of_groups, of_sheets, sides
from numpy.typing import NDArray
from turns import TURNS

from exiface.datasets import Manifest
from exiface.datasets.sampling import families_of
from exiface.detector.encoding import quality_of
from exiface.detector.folder import DetectorParts, detector_folder, read_folder
from exiface.threads import ordered_map


def uncovered(
    parts: DetectorParts, kept: Manifest, wholes: NDArray[np.int64] | None = None
) -> NDArray[np.bool_]:
    """Which pictures (n,) are of a quality that a detector doesn't cover.

    A window counts as large as the picture that it was cut from, whose shorter side is given.
    """
    encoder = parts.open_encoder()

    def falls_short(row: int) -> bool:
        quality, _ = quality_of(encoder, kept, row)
        if wholes is not None:
            quality = replace(quality, size=float(wholes[row]))
        return parts.quality.reason(quality) is not None

    return np.array(list(ordered_map(falls_short, range(len(kept)))))


def table(data: Path) -> Iterator[dict[str, float | int | str]]:
    kept = Manifest.joined([Manifest.read(WORK / f"{turn}-kept.parquet") for turn in TURNS])
    subjects = np.array([subject_of(str(path)) for path in kept.path])
    pictures = subjects == "pictures"
    default, whole = (read_folder(detector_folder(name)) for name in ("default", "whole-image"))
    short = np.zeros(len(kept), bool)
    short[~pictures] = uncovered(default, kept.select(~pictures))
    wholes = sides(kept.path[pictures].tolist(), data)
    short[pictures] = uncovered(whole, kept.select(pictures), wholes)
    families, sheets = families_of(kept.source), of_sheets(kept.source)
    for subject in SUBJECTS:
        for what, rows, groups in (
            ("generated", kept.generated & ~sheets, families),
            ("photographs", ~kept.generated, kept.source),
        ):
            mine = (subjects == subject) & rows
            share, low, high = mean_of_groups(short[mine], groups[mine])
            yield {
                "subject": subject,
                "what": what,
                "groups": len(set(groups[mine].tolist())),
                "pictures": int(mine.sum()),
                "unsure": share,
                "unsure_low": low,
                "unsure_high": high,
            }


if __name__ == "__main__":
    write(list(table(Path(sys.argv[1]))), Path("results/left-out-covered.csv"))
