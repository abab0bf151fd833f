"""What is said of small pictures and faces, and why small pictures are left unsure as wholes.

    bash results/whole_photographs.sh PHOTOS
    python results/small_pictures.py DATA PHOTOS

after results/turns.py (`make left-out`). The windows of DATA are cut from pictures of all sizes;
the detector judges those alone of which the shorter side has 768 px. Writes
results/small-pictures.csv, a row a class of sizes, by shorter sides in px:

    photographs          that calibrate the detector, each judged by the sources beside its own
    never seen, further collection
                         generated pictures by networks that had not seen them (left-out.csv)
    whole photographs    of PHOTOS, shrunk to one side (Lanczos, JPEG 85), by that detector
    photographed faces   that calibrate `default`, shrunk in the same way until the face, by its
                         shorter side, has so many px; larger ones alone

Limits of quality are left out of account. Families, or sources, weigh the same; of PHOTOS, each
picture. Two minutes on two cores.
"""

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common import write
from left_out import WORK, p_values, subject_of
from left_out_tables import SUBJECTS, WHAT, mean_of_groups, of_sheets
from numpy.typing import NDArray
from PIL import Image
from turns import TURNS

from exiface.datasets import Manifest
from exiface.datasets.sampling import families_of
from exiface.detector.calibrating import chosen, promise_of
from exiface.detector.encoding import encode_rows
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
_SIDES = {  # columns of the size of the picture that a window was cut from
    "windows_of_both/manifest.csv": ("source_width", "source_height"),
    "camera_native/camera_native.csv": ("width", "height"),
    "bench_scenes/manifest.csv": ("source_width", "source_height"),
    "bench_scenes_2/manifest.csv": ("source_width", "source_height"),
}
Row = dict[str, float | int | str]
Measured = tuple[str, NDArray, NDArray, NDArray]  # what, p-values, sides, families or sources


def sides(pictures: Manifest, data: Path) -> NDArray[np.int64]:
    """The shorter sides (n,) in px of the pictures that windows were cut from."""
    found = {}
    for name, columns in _SIDES.items():
        with (data / name).open(newline="") as stream:
            for row in csv.DictReader(stream):
                path = f"{name.split('/')[0]}/{row['file']}"
                found[path] = min(int(row[column]) for column in columns)
    return np.array([found[str(path)] for path in pictures.path])


def of_photographs(parts: DetectorParts, data: Path) -> Measured:
    """Photographs that calibrate, each judged by the sources beside its own."""
    promise = promise_of(parts)
    rows = Manifest.read(WORK / "all-pictures.parquet")
    rows = chosen(rows, per_photo=1, per_camera=None, seed=promise.seed)
    features, _, forms = encode_rows(
        parts.open_encoder(), rows, as_sent=promise.as_sent, seed=promise.seed
    )
    names = np.array(["as handed over", "saved again", "shrunk"])
    number = len(forms)
    scores = {
        "score": parts.scorer.score(features),
        "chain": names[forms],
        "source": np.resize(rows.source, number),
        "subject": np.full(number, "pictures"),
        "why": np.full(number, "calibration"),
    }
    return "photographs", p_values(scores)[forms == 0], sides(rows, data), rows.source


def of_generated(data: Path) -> Iterator[Measured]:
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
        yield WHAT[why], p, sides(every, data), families


def classes(parts: DetectorParts, data: Path) -> Iterator[Row]:
    """A row a class of sizes, and one of all that are large enough to be judged."""
    judge, judged = parts.judge, {JUDGED: (parts.quality.size, np.inf)}
    for what, p, side, groups in (of_photographs(parts, data), *of_generated(data)):
        for name, (low, high) in (CLASSES | judged).items():
            mine = (side >= low) & (side < high)
            flagged = p[mine] <= judge.calibration.alpha
            share, lower, upper = mean_of_groups(flagged, groups[mine])
            unsure = ~flagged & (p[mine] < judge.usual_from)
            yield {
                "what": what,
                "shorter side": name,
                "groups": len(set(groups[mine].tolist())),
                "pictures": int(mine.sum()),
                "flagged": share,
                "flagged_low": lower,
                "flagged_high": upper,
                "flagged_pooled": float(flagged.mean()),
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
    sides = np.array([shorter_side(rows.face_box(row)) for row in range(len(rows))])

    def score(row: int, scale: float) -> float:
        pixels = scaled(rows.read_pixels(row), scale)
        box = tuple(scale * side for side in rows.face_box(row))
        return float(parts.scorer.score(encoder.encode([encoder.inputs(pixels, box)]))[0])

    for side in (*FACES, None):
        scales = np.ones(len(rows)) if side is None else side / sides
        larger = np.flatnonzero(scales <= 1)
        scores = ordered_map(lambda row, scales=scales: score(row, scales[row]), larger)
        p = parts.calibration.p_value(np.array(list(scores)))
        share, low, high = mean_of_groups(p <= parts.calibration.alpha, rows.source[larger])
        yield {
            "what": "photographed faces",
            "shorter side": side or "as they are",
            "groups": len(set(rows.source[larger].tolist())),
            "pictures": len(larger),
            "flagged": share,
            "flagged_low": low,
            "flagged_high": high,
            "flagged_pooled": float((p <= parts.calibration.alpha).mean()),
        }


def main(data: Path, photos: Path) -> None:
    parts = read_folder(detector_folder("whole-image"))
    faces = shrunk_faces(read_folder(detector_folder("default")))
    rows = [*classes(parts, data), *shrunk(parts, photos), *faces]
    write(rows, Path("results/small-pictures.csv"))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
