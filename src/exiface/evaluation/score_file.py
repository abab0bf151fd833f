"""Scores as a CSV file: what `evaluate` writes, and what it takes from other detectors.

Columns: `set`, `label` (real or fake; 0 or 1), `score` (higher = more likely generated; empty = no
verdict); and, where they are known, `path` (relative to the file), `photo` (which photograph an
image is from), `condition` (an alteration; empty = original), `p_value`, `verdict` (such as
"ai-generated"; what is flagged or unsure is counted only where every image with a score has one),
`likelihood_ratio` (generated over photographed, above 0).
"""

import csv
import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from exiface.calibration import Verdict
from exiface.errors import UserError
from exiface.evaluation.audit import traits_of
from exiface.evaluation.sets import FAKE, NOTHING, REAL, Scored, ScoredSet
from exiface.photos.alterations import ORIGINAL

COLUMNS = (
    *("set", "label", "path", "photo", "condition"),
    *("score", "p_value", "verdict", "likelihood_ratio"),
)
_NEEDED = ("set", "label", "score")
_LABELS = {"real": REAL, "fake": FAKE, "0": REAL, "1": FAKE}


def write_scores(sets: Sequence[ScoredSet], path: Path) -> None:
    """Write the scores of sets, one row an image and condition."""
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for each in sets:
            for condition, scores in each.scores.items():
                paths = [os.path.relpath(image, path.parent) for image in each.paths]
                said = each.verdicts.get(condition, np.full(len(scores), ""))
                known = condition == ORIGINAL and len(each.ratios)
                ratios = each.ratios if known else np.full(len(scores), np.nan)
                numbers = (scores, each.p_values[condition], ratios)
                written = (map(_text, column) for column in numbers)
                for image, photo, score, p_value, ratio, verdict in zip(
                    paths, each.photos, *written, said, strict=True
                ):
                    row = (each.name, each.kind, image, photo, condition)
                    writer.writerow((*row, score, p_value, verdict, ratio))


def read_scores(path: Path, *, with_traits: bool = True) -> list[ScoredSet]:
    """Read the sets, real ones first, that this or any other detector has scored.

    Args:
        path: of the CSV file.
        with_traits: read the images as well, where the file names them, for the audit.

    Raises:
        UserError: a column is missing or a value has no meaning; file and line are named.
    """
    sets: dict[tuple[str, str], dict[str, dict[str, Scored]]] = {}
    photos: dict[str, str] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in _NEEDED if name not in (reader.fieldnames or [])]
            if missing:
                raise UserError(
                    f"{path} lacks the column(s) {', '.join(missing)}; needed are "
                    f"{', '.join(_NEEDED)}, known also {', '.join(set(COLUMNS) - set(_NEEDED))}"
                )
            for row in reader:
                where = f"{path}, line {reader.line_num}"
                kind = _LABELS.get((row["label"] or "").strip().lower())
                if kind is None:
                    raise UserError(f"{where}: label {row['label']!r} is none of {list(_LABELS)}")
                name = row.get("path") or f"line {reader.line_num}"
                image = os.path.normpath(path.parent / name)
                condition = row.get("condition") or ORIGINAL
                scored = sets.setdefault((kind, row["set"]), {}).setdefault(condition, {})
                if image in scored:
                    raise UserError(f"{where}: {image} was scored before under {condition!r}")
                scored[image] = (
                    _number(row["score"], "score", where),
                    _number(row.get("p_value"), "p_value", where),
                    _verdict(row.get("verdict"), where),
                    _number(row.get("likelihood_ratio"), "likelihood_ratio", where),
                )
                photos[image] = row.get("photo") or image
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    if not sets:
        raise UserError(f"{path} holds no score")
    ordered = sorted(sets.items(), key=lambda item: item[0][0] == FAKE)
    return [
        _scored_set(path, *key, by_condition, photos, with_traits) for key, by_condition in ordered
    ]


def _scored_set(
    path: Path,
    kind: str,
    name: str,
    by_condition: dict[str, dict[str, Scored]],
    photos: dict[str, str],
    with_traits: bool,
) -> ScoredSet:
    if ORIGINAL not in by_condition:
        raise UserError(f"{path}: the set {name!r} has no score of the unaltered images")
    images = list(by_condition[ORIGINAL])
    scored = {
        condition: [found.get(each, NOTHING) for each in images]
        for condition, found in by_condition.items()
    }
    if all(math.isnan(score) for score, *_ in scored[ORIGINAL]):
        raise UserError(f"{path}: no image of the set {name!r} has a score")
    files = [Path(image) for image in images]
    traits = traits_of(files) if with_traits and all(file.is_file() for file in files) else []
    return ScoredSet.of(kind, name, images, [photos[each] for each in images], scored, traits)


def _number(text: str | None, column: str, where: str) -> float:
    if text is None or not text.strip():
        return math.nan
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"{where}: {column} {text!r} is not a number") from None
    if math.isinf(value):
        raise UserError(f"{where}: {column} is infinite; give finite scores")
    if column == "likelihood_ratio" and value <= 0:
        raise UserError(f"{where}: likelihood_ratio {text!r} is not above 0")
    return value


def _verdict(text: str | None, where: str) -> str:
    known = [each.value for each in Verdict]
    if text and text not in known:
        raise UserError(f"{where}: verdict {text!r} is none of {', '.join(known)}")
    return text or ""


def _text(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"
