"""Which side should a face's crop be shrunk to, before the default network looks at it?

    python results/sides.py      (after `make left-out`)

judges what the first turn's network was not shown, with crops of up to 160, 192, 224, 256 and
384 px, and then the second turn's, to confirm what the first one says. No generated face of the
data has more than 256 px, while photographs of camera files have up to 384: what is larger than
that looks like a photograph to a network that was shown it as it is. Writes results/sides.csv.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import write
from left_out import WORK, network, p_values, subject_of
from left_out_tables import WHAT, Scores, mean_of_groups, of_sheets

from exiface.datasets import Manifest
from exiface.datasets.sampling import families_of
from exiface.detector.fitting import read_classifier
from exiface.encoders import EncoderFolder
from exiface.evaluation.metrics import measure
from exiface.threads import ordered_map

SIDES = (160, 192, 224, 256, 384)


def scored(turn: str) -> tuple[Scores, np.ndarray]:
    """The faces that a turn keeps, and their scores (n, sides), read where they exist."""
    kept = Manifest.read(WORK / f"{turn}-kept.parquet")
    subjects = np.array([subject_of(str(path)) for path in kept.path])
    rows = kept.select(subjects != "pictures")
    path = network(turn) / "sides.npy"
    if not path.exists():
        files = EncoderFolder.read(network(turn))
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
    """What is found and flagged at each side, families and sources weighing the same."""
    known, scores = scored(turn)
    sheets = of_sheets(known["source"])
    for side, score in zip(SIDES, scores.T, strict=True):
        flagged = p_values({**known, "score": score}) <= 0.05
        for subject in np.unique(known["subject"]):
            mine = (known["subject"] == subject) & ~sheets
            photographs = mine & (known["why"] == "calibration")
            row: dict[str, float | int | str] = {"turn": turn, "side": side, "subject": subject}
            for why in ("fit", "validation"):
                what, of_kind = WHAT[why], mine & (known["why"] == why)
                families = families_of(known["source"][of_kind])
                row[f"{what}: AUC"] = measure(score[photographs], score[of_kind]).auc
                row[f"{what}: flagged"] = mean_of_groups(flagged[of_kind], families)[0]
            sources = known["source"][photographs]
            yield row | {"photographs: flagged": mean_of_groups(flagged[photographs], sources)[0]}


if __name__ == "__main__":
    write([row for turn in ("first", "second") for row in figures(turn)], Path("results/sides.csv"))
