"""Which side should a face's crop be shrunk to, before the default network looks at it?

    python results/sides.py      (after `make left-out`)

judges what the first turn's network was not shown, with crops of up to 160, 192, 224, 256 and
384 px, and then the second turn's, to confirm what the first one says. No generated face of the
data has more than 256 px, while photographs of camera files have up to 384: what is larger than
that looks like a photograph to a network that was shown it as it is. The last round of training,
which follows from this, is not in these networks. Writes results/sides.csv.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import write
from left_out import WORK, before_the_last, p_values, subject_of
from left_out_tables import Scores, compared

from exiface.datasets import Manifest
from exiface.detector.fitting import read_classifier
from exiface.encoders import EncoderFolder
from exiface.threads import ordered_map

SIDES = (160, 192, 224, 256, 384)


def scored(turn: str) -> tuple[Scores, np.ndarray]:
    """The faces that a turn keeps, and their scores (n, sides), read where they exist."""
    kept = Manifest.read(WORK / f"{turn}-kept.parquet")
    subjects = np.array([subject_of(str(path)) for path in kept.path])
    rows = kept.select(subjects != "pictures")
    run = before_the_last(turn)
    path = run / "sides.npy"
    if not path.exists():
        files = EncoderFolder.read(run)
        encoder, classifier = files.open(threads=1), read_classifier(files)
        takes = files.description.preprocessing

        def of_sides(row: int) -> np.ndarray:
            pixels, box = rows.read_pixels(row), rows.face_box(row)
            crops = [replace(takes, largest=side).crop(pixels, box) for side in SIDES]
            return classifier.score(np.concatenate([encoder.encode([crop]) for crop in crops]))

        np.save(path, np.stack(list(ordered_map(of_sides, range(len(rows))))))
    return {
        "chain": np.full(len(rows), "as handed over"),
        "subject": subjects[subjects != "pictures"],
        "source": rows.source,
        "why": rows.split,
    }, np.load(path)


def figures(turn: str) -> Iterator[dict[str, float | int | str]]:
    """What is found and flagged at each side."""
    known, scores = scored(turn)
    for side, score in zip(SIDES, scores.T, strict=True):
        judged = {**known, "score": score}
        for row in compared({**judged, "p": p_values(judged)}):
            yield {"turn": turn, "side": side, **row}


if __name__ == "__main__":
    write([row for turn in ("first", "second") for row in figures(turn)], Path("results/sides.csv"))
