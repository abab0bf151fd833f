"""The report: tables as CSV and JSON, scores, and one self-contained HTML page."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exiface import __version__
from exiface.evaluation import plots
from exiface.evaluation.audit import FOLLOWED, SUSPICIOUS, Finding, Reliance
from exiface.evaluation.evidence_metrics import EvidenceRow, evidence_table
from exiface.evaluation.own_photographs import OwnRow, own_table
from exiface.evaluation.score_file import write_scores
from exiface.evaluation.sets import FAKE, REAL, PublishedRow, ScoredSet, conditions
from exiface.evaluation.tables import (
    AgainstRow,
    FalseAlarmRow,
    Row,
    SweepRow,
    audit_table,
    false_alarm_table,
    main_table,
    reliance_table,
    sweep_table,
)
from exiface.html import data_uri, template
from exiface.photos import UnreadableImageError, read_photo
from exiface.photos.alterations import ORIGINAL
from exiface.provenance import versions
from exiface.scoring import Scorer

DECIMALS = 4
_WORST = 6
_THUMBNAIL = 150  # px


@dataclass(frozen=True, eq=False)
class Report:
    """All that an evaluation found; a table that does not apply is empty."""

    title: str  #: what was evaluated.
    command: str  #: that made the report.
    promised: float  #: false-alarm rate.
    rows: list[Row]  #: the main table.
    sweep: list[SweepRow]  #: figures under alterations.
    alarms: list[FalseAlarmRow]  #: false alarms at the promised 1, 5 and 10 %.
    evidence: list[EvidenceRow]  #: how good likelihood ratios are.
    audit: list[Finding]  #: what separates the classes without looking at a face.
    reliance: list[Reliance]  #: which of these traits the scores of photographs follow.
    own: list[OwnRow]  #: what own photographs do to the false-alarm rate.
    against: list[AgainstRow] = field(default_factory=list)  #: comparison with another detector.
    other: str = ""  #: name of that other detector.
    harmonised: bool = False  #: whether every image went through one chain first.
    notice: str = ""  #: what readers must know of the detector.
    published: list[PublishedRow] = field(default_factory=list)  #: the published protocol's table.
    remarks: list[str] = field(default_factory=list)  #: further sentences for the summary.
    #: features of each set (see `plots.embedding`); empty: no such picture.
    embedded: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        sets: Sequence[ScoredSet],
        *,
        alpha: float = 0.05,
        features: dict[str, NDArray[np.float32]] | None = None,
        scorer: Scorer | None = None,
        **known: Any,
    ) -> "Report":
        """Tabulate the scored sets of one detector; see `own_table` for the named arguments.

        The other attributes can be given by name.
        """
        return cls(
            promised=alpha,
            rows=main_table(sets),
            sweep=sweep_table(sets) if len(conditions(sets)) > 1 else [],
            alarms=false_alarm_table(sets),
            evidence=evidence_table(sets),
            audit=audit_table(sets),
            reliance=reliance_table(sets),
            own=own_table(sets, features, scorer=scorer, alpha=alpha),
            **known,
        )

    @property
    def leaks(self) -> list[Finding]:
        """What separates the classes too well, worst first."""
        found = [finding for finding in self.audit if finding.suspicious]
        return sorted(found, key=lambda finding: -finding.separation)

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Every table that has a row, by name, as CSV and JSON have them."""
        every: dict[str, Sequence[Any]] = {
            "published": self.published,
            "figures": self.rows,
            "sweep": self.sweep,
            "false-alarms": self.alarms,
            "evidence": self.evidence,
            "audit": self.audit,
            "reliance": self.reliance,
            "own-photographs": self.own,
            "against": self.against,
        }
        return {name: [*map(_rounded, rows)] for name, rows in every.items() if rows}


def write_table(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write one table of a report as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_report(report: Report, sets: Sequence[ScoredSet], folder: Path) -> Path:
    """Write a report on scored sets into a folder, and return the path of its HTML page.

    Beside it lie the tables as CSV, `report.json` with all of them, and `scores.csv`, which
    `exiface evaluate --scores` reads.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = report.tables()
    for name, rows in tables.items():
        write_table(rows, folder / f"{name}.csv")
    made = {
        "title": report.title,
        "command": report.command,
        "exiface": __version__,
        "versions": versions(),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "harmonised": report.harmonised,
    }
    (folder / "report.json").write_text(json.dumps(made | {"tables": tables}, indent=1) + "\n")
    write_scores(sets, folder / "scores.csv")
    page = template("exiface.evaluation", "report.html").render(
        report=report,
        made=made,
        summary=summary(report),
        pictures=_pictures(report, sets),
        worst=worst_errors(sets),
        compared=representative(report.sweep),
        suspicious=SUSPICIOUS,
        followed=FOLLOWED,
    )
    path = folder / "index.html"
    path.write_text(page, encoding="utf-8", errors="replace")
    return path


def summary(report: Report) -> list[str]:
    """Say in sentences what the figures say."""
    said = []
    fakes = [row for row in report.rows if row.kind == FAKE and row.auc is not None]
    if fakes:
        worst = min(fakes, key=lambda row: row.auc or 0)
        mean = fmean(row.auc or 0 for row in fakes)
        said.append(
            f"Generated faces of {_sets(len(fakes))} are told from photographs with a mean AUC of "
            f"{mean:.2f}; the lowest is {worst.auc:.2f} on {worst.name} (95 % interval "
            f"{worst.auc_low:.2f} to {worst.auc_high:.2f}). 0.5 is chance; below it, generated "
            "faces look more usual than photographs."
        )
        if all(row.flagged is not None for row in fakes):
            found = fmean(row.flagged or 0 for row in fakes)
            said.append(
                f"At its own threshold the detector flags {100 * found:.1f} % of the generated "
                "faces, on average over the sets."
            )
    reals = [row for row in report.rows if row.kind == REAL and row.flagged is not None]
    if reals:
        rates = [row.flagged or 0 for row in reals]
        broken = [row.name for row in reals if (row.flagged_low or 0) > report.promised]
        judged = "nowhere is it broken beyond chance"
        if broken:
            judged = f"the promise is broken on {', '.join(broken)}"
        said.append(
            f"False alarms: promised at most {100 * report.promised:g} %, measured "
            f"{_range(rates)} on {_sets(len(reals))} of photographs; {judged}."
        )
    costs = [row.cllr for row in report.evidence if row.cllr is not None]
    least = [row.cllr_min for row in report.evidence if row.cllr_min is not None]
    if costs:
        said.append(
            f"As evidence, likelihood ratios cost {fmean(costs):.2f} bits on average over "
            f"{_sets(len(costs))} (Cllr; 1 says nothing, 0 is perfect); calibrated as well as "
            f"can be they would cost {fmean(least):.2f} (Cllr_min)."
        )
    if compared := representative(report.sweep):
        worst_change = max(compared, key=lambda row: row.auc_lost or 0)
        said.append(
            f"Altering both classes alike costs at most {worst_change.auc_lost:.2f} AUC "
            f"({worst_change.condition})."
        )
    if report.audit:
        names = sorted({finding.fake for finding in report.leaks})
        said.append(
            f"Something other than the face separates the classes of {', '.join(names)}: figures "
            "there prove little."
            if names
            else "No trivial cue separates the classes."
        )
    if report.reliance:
        followed = [row for row in report.reliance if row.suspicious]
        said.append(
            "Within photographs the scores follow "
            + ", ".join(f"{row.trait} on {row.name} ({row.correlation:+.2f})" for row in followed)
            + "."
            if followed
            else f"Within photographs the scores follow none (correlations up to {FOLLOWED})."
        )
    return said + report.remarks


def representative(rows: Sequence[SweepRow]) -> list[SweepRow]:
    """Choose the rows of a sweep that are means over the sets, or those of its only comparison."""
    kind = "mean" if any(row.kind == "mean" for row in rows) else FAKE
    return [row for row in rows if row.kind == kind]


def worst_errors(sets: Sequence[ScoredSet]) -> list[tuple[str, list[dict[str, Any]]]]:
    """List the most unusual photographs and the most usual generated faces, with thumbnails."""
    groups = []
    for kind, title, sign in (
        (REAL, "Photographs that look most unlike photographs", -1),
        (FAKE, "Generated faces that look most like photographs", 1),
    ):
        ranked = sorted(
            (sign * float(score), each.name, str(path), float(p_value))
            for each in sets
            if each.kind == kind
            for path, score, p_value in zip(
                each.paths, each.scores[ORIGINAL], each.p_values[ORIGINAL], strict=True
            )
            if np.isfinite(score)
        )
        worst = [
            {
                "name": name,
                "path": path,
                "score": sign * score,
                "p_value": None if np.isnan(p_value) else p_value,
                "thumbnail": _thumbnail(Path(path)),
            }
            for score, name, path, p_value in ranked[:_WORST]
        ]
        if worst:
            groups.append((title, worst))
    return groups


def _pictures(report: Report, sets: Sequence[ScoredSet]) -> dict[str, str]:
    pictures = {}
    if any(row.auc is not None for row in report.rows):
        pictures["roc"] = plots.roc_curves(sets)
        pictures["histograms"] = plots.histograms(sets)
    if representative(report.sweep):
        pictures["sweep"] = plots.sweep_curves(report.sweep)
    if report.alarms:
        pictures["alarms"] = plots.false_alarms(report.alarms)
        pictures["calibration"] = plots.calibration_plot(sets)
    if report.evidence:
        pictures["tippett"] = plots.tippett(sets)
    if report.embedded:
        pictures["embedding"] = plots.embedding(report.embedded)
    if report.audit:
        pictures["audit"] = plots.audit_plot(report.audit)
    return pictures


def _thumbnail(path: Path) -> str | None:
    try:
        return data_uri(read_photo(path).pixels, longest=_THUMBNAIL, quality=80)
    except UnreadableImageError:
        return None


def _range(rates: Sequence[float]) -> str:
    low, high = f"{100 * min(rates):.1f}", f"{100 * max(rates):.1f}"
    return f"{high} %" if low == high else f"{low} to {high} %"


def _sets(number: int) -> str:
    return "one set" if number == 1 else f"{number} sets"


def _rounded(row: Any) -> dict[str, Any]:
    return {
        name: round(value, DECIMALS) if isinstance(value, float) else value
        for name, value in asdict(row).items()
    }
