"""Judge labelled folders and tabulate: the work behind `exiface evaluate`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exiface.datasets import find_images
from exiface.density import Verdict
from exiface.detector import Detector
from exiface.errors import UserError
from exiface.evaluation.metrics import clopper_pearson, measure
from exiface.progress import Progress, no_progress


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        kind: "real", "fake" or "mean" (over the fake sets).
        name: of the set.
        against: photographs that a fake set is compared with.
        images: with a verdict; the largest face of an image stands for it.
        no_verdict: images without one (no face found, unreadable).
        flagged: share called "ai-generated": the false-alarm rate of a real set, the recall at the
            detector's own threshold of a fake one.
        flagged_low: lower end of its 95 % interval (Clopper-Pearson).
        flagged_high: upper end.
        unsure: share called "unsure".
        auc: and the following: see `Metrics`; of fake sets only.
    """

    kind: str
    name: str
    against: str = ""
    images: int = 0
    no_verdict: int = 0
    flagged: float | None = None
    flagged_low: float | None = None
    flagged_high: float | None = None
    unsure: float | None = None
    auc: float | None = None
    ap_generated: float | None = None
    ap_photographic: float | None = None
    recall_at_5: float | None = None
    recall_at_1: float | None = None


@dataclass(frozen=True, eq=False)
class Judged:
    """What a detector said of one set.

    Attributes:
        scores: (n,) of the images with a verdict.
        verdicts: of the same images.
        no_verdict: how many images have none.
    """

    scores: NDArray[np.float64]
    verdicts: list[Verdict]
    no_verdict: int


def evaluate(
    detector: Detector,
    real: Mapping[str, Path],
    fake: Mapping[str, Path],
    *,
    cropped: bool = False,
    progress: Progress = no_progress,
) -> list[Row]:
    """Measure a detector on labelled folders.

    A fake set named "SET/GENERATOR", or "SET", is compared with the real set "SET" if there is one,
    and with all real sets together otherwise.

    Args:
        detector: to be measured.
        real: name -> folder of photographs.
        fake: name -> folder of generated faces.
        cropped: the images are faces already cut out.
        progress: called with (done, total) images.

    Returns:
        The real sets, the fake sets, and the mean over the fake sets.

    Raises:
        UserError: a folder without an image, or without a single verdict.
    """
    folders = [("real", *item) for item in real.items()] + [
        ("fake", *item) for item in fake.items()
    ]
    files = [(kind, name, find_images([folder])) for kind, name, folder in folders]
    for (_, name, folder), (_, _, paths) in zip(folders, files, strict=True):
        if not paths or not folder.exists():
            raise UserError(f"{name}: {folder} holds no image")
    total = sum(len(paths) for _, _, paths in files)
    judged: dict[tuple[str, str], Judged] = {}
    done = 0
    for kind, name, paths in files:
        scores, verdicts = [], []
        for result in detector.detect(iter(paths), cropped=cropped):
            if result.faces:
                scores.append(result.faces[0].score)
                verdicts.append(result.faces[0].verdict)
            done += 1
            progress(done, total)
        if not scores:
            raise UserError(f"{name}: no face was found in any of its {len(paths)} images")
        judged[kind, name] = Judged(np.array(scores), verdicts, len(paths) - len(scores))
    return tabulate(judged)


def tabulate(judged: Mapping[tuple[str, str], Judged]) -> list[Row]:
    """Make the table of judged sets, keyed by (kind, name)."""
    reals = {name: of_set for (kind, name), of_set in judged.items() if kind == "real"}
    rows = [_rates("real", name, of_set) for name, of_set in reals.items()]
    fakes = []
    for (kind, name), of_set in judged.items():
        if kind != "fake":
            continue
        row = _rates("fake", name, of_set)
        partner = next((key for key in (name, name.split("/")[0]) if key in reals), None)
        if reals:
            compared = [reals[partner]] if partner else list(reals.values())
            metrics = measure(np.concatenate([each.scores for each in compared]), of_set.scores)
            row = replace(row, against=partner or "all", **asdict(metrics))
        fakes.append(row)
    rows += fakes
    if len(fakes) > 1:
        rows.append(_mean(fakes))
    return rows


def _rates(kind: str, name: str, judged: Judged) -> Row:
    number = len(judged.verdicts)
    flagged = judged.verdicts.count(Verdict.AI_GENERATED)
    low, high = clopper_pearson(flagged, number)
    return Row(
        kind=kind,
        name=name,
        images=number,
        no_verdict=judged.no_verdict,
        flagged=flagged / number,
        flagged_low=low,
        flagged_high=high,
        unsure=judged.verdicts.count(Verdict.UNSURE) / number,
    )


def _mean(rows: list[Row]) -> Row:
    means: dict[str, Any] = {}
    for field in fields(Row):
        values = [getattr(row, field.name) for row in rows]
        if field.name in ("flagged_low", "flagged_high"):
            continue  # an interval of one set says nothing of the mean
        if all(isinstance(value, float) for value in values):
            means[field.name] = fmean(values)
    return Row(
        kind="mean",
        name=f"of {len(rows)} fake sets",
        images=sum(row.images for row in rows),
        no_verdict=sum(row.no_verdict for row in rows),
        **means,
    )
