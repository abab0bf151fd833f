"""What is said of small pictures and faces, and why small pictures are left unsure as wholes.

    bash results/whole_photographs.sh PHOTOS
    python results/small_pictures.py DATA PHOTOS

after results/turns.py (`make left-out`). The windows of DATA are cut from pictures of all sizes;
the detector judges those alone of which the shorter side has 768 px. Writes
results/small-pictures.csv, a row a class of sizes, by shorter sides in px:

    photographs          that calibrate the detector, each judged by the sources beside its own;
                         and the same without the source bench_scenes
    never seen, further collection
                         generated pictures by networks that had not seen them (left-out.csv)
    whole photographs    of PHOTOS, shrunk to one side (Lanczos, JPEG 85), by that detector
    photographed faces   that calibrate `default`, judged likewise, shrunk in that way until the
                         face, by its shorter side, has so many px; larger ones alone

Rows by size leave limits of quality out of account, those of "all that are judged" don't; windows
are judged one by one. Families, or sources, weigh the same; of PHOTOS, each picture. Two minutes on
two cores.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common import write
from covered import uncovered
from left_out import WORK, p_values, subject_of
from left_out_tables import SUBJECTS, WHAT, mean_of_groups, of_sheets, sides
from numpy.typing import NDArray
from PIL import Image
from turns import TURNS

from exiface.datasets import Manifest
from exiface.datasets.sampling import families_of
from exiface.detector.calibrating import chosen, promise_of
from exiface.detector.encoding import FORMS, encode_rows
from exiface.detector.folder import DetectorParts, detector_folder, read_folder
from exiface.evaluation.metrics import clopper_pearson
from exiface.photos.alterations import saved
from exiface.photos.crops import shorter_side
from exiface.photos.images import read_photo
from exiface.threads import ordered_map

# The shorter sides of pictures, in px, between which a row is written.
CLASSES = {
    "below 480": (0, 480),
    "480 to 768": (480, 768),
    "768 to 1300": (768, 1300),
    "1300 and more": (1300, np.inf),
}
JUDGED = "all that are judged"
SHRUNK = (256, 360, 480, 600, 768, 1000)
FACES = (50, 60, 72, 96, 120, 150)
Row = dict[str, float | int | str]
# What, and of each picture: p-value, shorter side, family or source, and whether it is covered.
Measured = tuple[str, NDArray, NDArray, NDArray, NDArray]


def by_other_sources(
    scores: NDArray, chains: NDArray, sources: NDArray, subject: str
) -> NDArray[np.float64]:
    """p-values (n,) of photographs, each by the sources beside its own."""
    same = {"subject": subject, "why": "calibration"}
    return p_values(
        {"score": scores, "chain": chains, "source": sources}
        | {name: np.full(len(scores), value) for name, value in same.items()}
    )


def of_photographs(parts: DetectorParts, data: Path) -> Iterator[Measured]:
    """Photographs that calibrate, each judged by the sources beside its own."""
    promise = promise_of(parts)
    rows = Manifest.read(WORK / "all-pictures.parquet")
    rows = chosen(rows, per_photo=1, per_camera=None, seed=promise.seed)
    features, sources, forms = encode_rows(
        parts.open_encoder(), rows, as_sent=promise.as_sent, seed=promise.seed
    )
    chains = np.array(["as handed over", *list(FORMS)[1:]])[forms]
    p = by_other_sources(parts.scorer.score(features), chains, sources, "pictures")[forms == 0]
    what, *columns = _measured("photographs", p, rows, rows.source, parts, data)
    yield what, *columns
    others = rows.source != "bench_scenes"
    yield "photographs without bench_scenes", *(column[others] for column in columns)


def of_generated(parts: DetectorParts, data: Path) -> Iterator[Measured]:
    """Generated pictures that the networks of `make left-out` had not seen."""
    with Path("results/left-out-pictures.csv").open(newline="") as stream:
        measured = list(csv.DictReader(stream))
    for why, known in (("fit", "0"), ("validation", "1")):
        mine = [row for row in measured if row["known"] == known]
        kept = []
        for turn in TURNS:
            rows = Manifest.read(WORK / f"{turn}-kept.parquet")
            pictures = [subject_of(str(path)) == SUBJECTS[-1] for path in rows.path]
            kept.append(rows.select((rows.split == why) & pictures & ~of_sheets(rows.source)))
        every = Manifest.joined(kept)
        families = families_of(every.source)
        if families.tolist() != [row["family"] for row in mine]:
            sys.exit("results/left-out-pictures.csv is of other pictures: make left-out")
        p = np.array([float(row["p_value"]) for row in mine])
        yield _measured(WHAT[why], p, every, families, parts, data)


def _measured(
    what: str, p: NDArray, rows: Manifest, groups: NDArray, parts: DetectorParts, data: Path
) -> Measured:
    wholes = sides(rows.path.tolist(), data)
    return what, p, wholes, groups, ~uncovered(parts, rows, wholes)


def shares(flagged: NDArray[np.bool_], groups: NDArray) -> Row:
    """The columns of a row: of (n,) pictures, by their families or sources (n,)."""
    share, low, high = mean_of_groups(flagged, groups)
    return {
        "groups": len(set(groups.tolist())),
        "pictures": len(flagged),
        "flagged": share,
        "flagged_low": low,
        "flagged_high": high,
        "flagged_pooled": float(flagged.mean()),
    }


def classes(parts: DetectorParts, data: Path) -> Iterator[Row]:
    """A row a class of sizes, and one of all whose quality the detector covers."""
    judge = parts.judge
    for what, p, side, groups, covered in (
        *of_photographs(parts, data),
        *of_generated(parts, data),
    ):
        chosen_by = {name: (side >= low) & (side < high) for name, (low, high) in CLASSES.items()}
        for name, mine in (chosen_by | {JUDGED: covered}).items():
            flagged = p[mine] <= judge.calibration.alpha
            unsure = ~flagged & (p[mine] < judge.usual_from)
            yield {
                "what": what,
                "shorter side": name,
                **shares(flagged, groups[mine]),
                "unsure": mean_of_groups(unsure, groups[mine])[0],
            }


def scaled(pixels: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """A picture that was shrunk, and saved as JPEG of quality 85; as it is, where scale is 1."""
    if scale == 1:
        return pixels
    size = (round(scale * pixels.shape[1]), round(scale * pixels.shape[0]))
    small = Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)
    return saved(np.asarray(small), "JPEG", 85)


def shrunk(parts: DetectorParts, photos: Path) -> Iterator[Row]:
    """A row a side that whole photographs are shrunk to, and one of them as they are."""
    pictures = sorted(photos.iterdir())
    encoder = parts.open_encoder(threads=1)

    def p_value(path: Path, side: int | None) -> float:
        pixels = read_photo(path).pixels
        pixels = scaled(pixels, 1 if side is None else side / min(pixels.shape[:2]))
        box = (0, 0, pixels.shape[1], pixels.shape[0])
        score = parts.scorer.score(encoder.encode([encoder.inputs(pixels, box)]))
        return float(parts.calibration.p_value(score)[0])

    for side in (*SHRUNK, None):
        p = np.array(list(ordered_map(lambda path, side=side: p_value(path, side), pictures)))
        flagged = p <= parts.calibration.alpha
        low, high = clopper_pearson(int(flagged.sum()), len(flagged))
        yield {
            "what": "whole photographs",
            "shorter side": side or "as they are",
            "pictures": len(p),
            "flagged": float(flagged.mean()),
            "flagged_low": low,
            "flagged_high": high,
        }


def shrunk_faces(parts: DetectorParts) -> Iterator[Row]:
    """A row a side that photographed faces are shrunk to, and one of them as they are."""
    rows = Manifest.read(WORK / "all-faces.parquet")
    rows = chosen(rows, per_photo=1, per_camera=None, seed=promise_of(parts).seed)
    encoder = parts.open_encoder(threads=1)
    lengths = [shorter_side(rows.face_box(row)) for row in range(len(rows))]

    def score(row: int, scale: float) -> float:
        pixels = scaled(rows.read_pixels(row), scale)
        box = tuple(scale * side for side in rows.face_box(row))
        return float(parts.scorer.score(encoder.encode([encoder.inputs(pixels, box)]))[0])

    shrinks = [
        (str(side), row, side / length)
        for side in FACES
        for row, length in enumerate(lengths)
        if length >= side
    ]
    shrinks += [("as handed over", row, 1.0) for row in range(len(rows))]
    scores = np.array(list(ordered_map(lambda shrink: score(*shrink[1:]), shrinks)))
    chains = np.array([chain for chain, _, _ in shrinks])
    sources = rows.source[[row for _, row, _ in shrinks]]
    flagged = by_other_sources(scores, chains, sources, "faces") <= parts.calibration.alpha
    for chain in dict.fromkeys(chains.tolist()):
        mine = chains == chain
        yield {
            "what": "photographed faces",
            "shorter side": "as they are" if chain == "as handed over" else chain,
            **shares(flagged[mine], sources[mine]),
        }


def main(data: Path, photos: Path) -> None:
    parts = read_folder(detector_folder("whole-image"))
    faces = shrunk_faces(read_folder(detector_folder("default")))
    rows = [*classes(parts, data), *shrunk(parts, photos), *faces]
    write(rows, Path("results/small-pictures.csv"))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
