"""Scored sets -> the tables of the report; every table is a list of rows of one kind."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from exiface.calibration import Verdict, flagged
from exiface.errors import UserError
from exiface.evaluation.audit import Finding, Reliance, audit, reliance
from exiface.evaluation.metrics import clopper_pearson, measure
from exiface.evaluation.sets import FAKE, REAL, ScoredSet, comparisons, conditions
from exiface.evaluation.uncertainty import bootstrap, delong
from exiface.photos.alterations import ORIGINAL

PROMISES = (0.01, 0.05, 0.1)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the main table."""

    kind: str  #: "real", "fake" or "mean" (over the fake sets).
    name: str  #: of the set.
    against: str = ""  #: photographs that a fake set is compared with.
    images: int = 0  #: with a verdict; the largest face of an image stands for it.
    no_verdict: int = 0  #: images without one (no face found, unreadable).
    #: share called "ai-generated": the false-alarm rate of a real set, the recall at the detector's
    #: own threshold of a fake one; None for scores without verdicts.
    flagged: float | None = None
    flagged_low: float | None = None  #: lower end of its 95 % interval (Clopper-Pearson).
    flagged_high: float | None = None  #: upper end.
    unsure: float | None = None  #: share called "unsure".
    auc: float | None = None  #: as in `Metrics`, like the four below; of fake sets only.
    ap_generated: float | None = None
    ap_photographic: float | None = None
    recall_at_5: float | None = None
    recall_at_1: float | None = None
    auc_low: float | None = None  #: lower end of the 95 % interval (bootstrap by photograph).
    auc_high: float | None = None  #: upper end.
    recall_at_5_low: float | None = None  #: lower end of the same interval of the recall.
    recall_at_5_high: float | None = None  #: upper end.


@dataclass(frozen=True, slots=True)
class SweepRow:
    """A set under one alteration; photographs and generated faces undergo it alike."""

    condition: str  #: name of the alteration, or "original".
    kind: str  #: "real", "fake" or "mean" (over the fake sets).
    name: str  #: of the set.
    images: int  #: of the set with a verdict.
    auc: float | None = None  #: under the alteration; of fake sets only.
    auc_lost: float | None = None  #: AUC of the original less this one.
    #: share of the generated faces flagged at the detector's own threshold; None without verdicts.
    recall: float | None = None
    #: share flagged of the photographs, or of those that a fake set is compared with; None without
    #: verdicts.
    false_alarms: float | None = None


@dataclass(frozen=True, slots=True)
class FalseAlarmRow:
    """A set of photographs at one promised rate."""

    name: str  #: of the set.
    promised: float  #: rate that the calibration promises.
    images: int  #: with a verdict.
    measured: float  #: share flagged at that rate.
    low: float  #: lower end of its 95 % interval (Clopper-Pearson).
    high: float  #: upper end.

    @property
    def kept(self) -> bool:
        """Whether the interval reaches down to the promise."""
        return self.low <= self.promised


@dataclass(frozen=True, slots=True)
class AgainstRow:
    """Two detectors on the same images of one comparison; see `PairedComparison`."""

    name: str
    against: str
    images: int
    auc: float
    auc_other: float
    difference: float
    low: float
    high: float
    p_value: float


def main_table(sets: Sequence[ScoredSet]) -> list[Row]:
    """Tabulate the real sets, the fake sets, and the mean over the fake sets, as judged."""
    rows = [_rates(each) for each in sets if each.kind == REAL]
    compared = {each.fake.name: each for each in comparisons(sets)}
    fakes = []
    for each in sets:
        if each.kind == REAL:
            continue
        row = _rates(each)
        if pair := compared.get(each.name):
            real, fake = pair.samples()
            figures = asdict(measure(real.scores, fake.scores)) | asdict(bootstrap(real, fake))
            row = replace(row, against=pair.against, **figures)
        fakes.append(row)
    if len(fakes) > 1:
        fakes.append(Row(**_mean(fakes), no_verdict=sum(row.no_verdict for row in fakes)))
    return rows + fakes


def sweep_table(sets: Sequence[ScoredSet]) -> list[SweepRow]:
    """Tabulate every set under every condition, and the mean over the comparisons."""
    rows: list[SweepRow] = []
    originals: dict[str, float] = {}
    for condition in conditions(sets):
        for each in sets:
            if each.kind == REAL:
                images, alarms = int(each.judged(condition).sum()), _flagged([each], condition)
                row = SweepRow(condition, REAL, each.name, images, false_alarms=alarms)
                rows.append(row)
        under = []
        for pair in comparisons(sets):
            real, fake = pair.samples(condition)
            if not len(real.scores) or not len(fake.scores):
                continue  # not a single face was found any more
            auc, name = measure(real.scores, fake.scores).auc, pair.fake.name
            figures = (auc, originals.setdefault(name, auc) - auc)
            flagged_ = (_flagged([pair.fake], condition), _flagged(pair.real, condition))
            under.append(SweepRow(condition, FAKE, name, len(fake.scores), *figures, *flagged_))
        rows += under
        if len(under) > 1:
            rows.append(SweepRow(condition, **_mean(under)))
    return rows


def false_alarm_table(sets: Sequence[ScoredSet]) -> list[FalseAlarmRow]:
    """Tabulate each set of photographs that has p-values at the promised 1, 5 and 10 %."""
    rows = []
    for each in sets:
        p_values = each.p_values[ORIGINAL]
        p_values = p_values[np.isfinite(p_values)]
        if each.kind != REAL or not len(p_values):
            continue
        number = len(p_values)
        for promised in PROMISES:
            count = int(flagged(p_values, promised).sum())
            measured = (count / number, *clopper_pearson(count, number))
            rows.append(FalseAlarmRow(each.name, promised, number, *measured))
    return rows


def audit_table(sets: Sequence[ScoredSet]) -> list[Finding]:
    """Tabulate what tells generated faces from their photographs without looking at a face."""
    return [
        finding
        for each in comparisons(sets)
        if (traits := [trait for real in each.real for trait in real.traits]) and each.fake.traits
        for finding in audit(each.fake.name, each.against, traits, each.fake.traits)
    ]


def reliance_table(sets: Sequence[ScoredSet]) -> list[Reliance]:
    """Tabulate which cues the scores of each set of photographs, and of all together, follow."""
    known = [
        (each.name, each.scores[ORIGINAL], each.traits)
        for each in sets
        if each.kind == REAL and len(each.traits) == len(each.paths)
    ]
    if len(known) > 1:
        _, scores, traits = zip(*known, strict=True)
        known.append(("all", np.concatenate(scores), [*chain.from_iterable(traits)]))
    return [row for of_set in known for row in reliance(*of_set)]


def against_table(sets: Sequence[ScoredSet], others: Sequence[ScoredSet]) -> list[AgainstRow]:
    """Compare two detectors on the images that both have judged.

    Args:
        sets: of the first detector.
        others: of the second; sets and images are matched by name and path.

    Raises:
        UserError: no image in common.
    """
    scored = {
        (each.kind, each.name): dict(
            zip(map(_place, each.paths), each.scores[ORIGINAL], strict=True)
        )
        for each in others
    }
    rows = []
    for each in comparisons(sets):
        real = np.concatenate([_both(of_set, scored) for of_set in each.real], axis=1)
        fake = _both(each.fake, scored)
        if not real.shape[1] or not fake.shape[1]:
            raise UserError(
                f"the other detector has no score for images of {each.fake.name!r} or of its "
                "photographs; sets and paths must be named alike"
            )
        images, compared = real.shape[1] + fake.shape[1], asdict(delong(real, fake))
        rows.append(AgainstRow(each.fake.name, each.against, images, **compared))
    return rows


def _both(each: ScoredSet, scored: Mapping[tuple[str, str], dict[str, float]]) -> Any:
    """Scores (2, n) of the images of a set that both detectors have judged."""
    other = scored.get((each.kind, each.name), {})
    second = np.array([other.get(_place(path), np.nan) for path in each.paths], float)
    both = np.stack([each.scores[ORIGINAL], second])
    return both[:, np.isfinite(both).all(axis=0)]


def _place(path: str) -> str:
    return str(Path(path).resolve())


def _rates(each: ScoredSet) -> Row:
    number = int(each.judged().sum())
    row = Row(each.kind, each.name, images=number, no_verdict=len(each.paths) - number)
    verdicts = each.said()
    if verdicts is None:
        return row
    found = int((verdicts == Verdict.AI_GENERATED).sum())
    low, high = clopper_pearson(found, number)
    unsure = float((verdicts == Verdict.UNSURE).mean())
    return replace(row, flagged=found / number, flagged_low=low, flagged_high=high, unsure=unsure)


def _flagged(sets: Sequence[ScoredSet], condition: str) -> float | None:
    said = [verdicts for each in sets if (verdicts := each.said(condition)) is not None]
    return float((np.concatenate(said) == Verdict.AI_GENERATED).mean()) if said else None


def _mean(rows: Sequence[Row] | Sequence[SweepRow]) -> dict[str, Any]:
    """The figures that all rows have, averaged; an interval of one set says nothing of the mean."""
    names = [each.name for each in fields(rows[0]) if not each.name.endswith(("_low", "_high"))]
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    means = {
        name: fmean(values)
        for name, values in columns.items()
        if all(isinstance(value, float) for value in values)
    }
    named = {"kind": "mean", "name": f"of {len(rows)} fake sets", "images": sum(columns["images"])}
    return means | named
