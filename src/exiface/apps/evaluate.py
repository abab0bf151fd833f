"""`exiface evaluate`: how well a detector does on labelled folders, or on a file of scores."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from exiface.detector import Detector
    from exiface.evaluation import ScoredSet


def evaluate(
    real: Annotated[
        list[str] | None,
        typer.Option(metavar="[NAME=]DIR", help="Folder of photographs; several are allowed."),
    ] = None,
    fake: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]DIR",
            help="Folder of generated faces; NAME `SET` or `SET/GENERATOR` is compared with the "
            "real set SET, any other with all real sets.",
        ),
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            help="Instead of folders: CSV of scores by any detector, with the columns set, label, "
            "score and, where known, path, photo, condition, p_value."
        ),
    ] = None,
    detector: Annotated[
        Path | None,
        typer.Option(help="Detector folder; without it, the detector inside the package."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(help="Compare with another detector folder, or a CSV of its scores."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write a report: tables and a page."),
    ] = None,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Also judge every image under 17 alterations.")
    ] = False,
    harmonise: Annotated[
        bool,
        typer.Option(
            "--harmonise", help="Put every image through one chain first: face, 256 px, JPEG 90."
        ),
    ] = False,
    refit: Annotated[
        bool,
        typer.Option(
            "--refit", help="In the report, also refit the density on part of each real set."
        ),
    ] = False,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Also write the main table as CSV.")
    ] = None,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Print JSON lines instead of tables.")
    ] = False,
    cropped: Annotated[
        bool, typer.Option("--cropped", help="Each image is a face already cut out.")
    ] = False,
) -> None:
    """Measure a detector: AUC, average precision, recall, and the false-alarm rate it keeps."""
    import json
    import shlex

    from exiface.apps.evaluation_tables import print_report
    from exiface.errors import UserError
    from exiface.evaluation.report import Report, write_report, write_table

    if (scores is None) == (real is None):
        raise UserError("give either folders (--real, --fake) or --scores FILE")
    if scores is not None and (fake or detector or sweep or harmonise or refit):
        raise UserError("--scores comes with --against, -o, --csv and --json only")
    if refit and (output is None or harmonise):
        raise UserError("--refit is part of the report (-o DIR) on images as they are")
    if scores is not None:
        sets, known = _of_file(scores, against)
    else:
        judging = _Judging(_named(real or []), _named(fake or []), cropped, harmonise)
        sets, known = _of_folders(judging, detector, against, sweep=sweep, refit=refit)
    report = Report.of(sets, command=shlex.join(["exiface", *sys.argv[1:]]), **known)
    if csv_file is not None:
        write_table(report.rows, csv_file)
    page = None if output is None else write_report(report, sets, output)
    if json_lines:
        for table, rows in report.tables().items():
            for row in rows:
                print(json.dumps({"table": table, **row}))
        return
    print_report(report)
    if page is not None:
        typer.echo(f"\nreport: {page}")


@dataclass(frozen=True)
class _Judging:
    """How folders are judged, by one detector or another."""

    reals: dict[str, Path]
    fakes: dict[str, Path]
    cropped: bool
    harmonise: bool

    def __call__(self, detector: "Detector", *, sweep: bool = False) -> "list[ScoredSet]":
        from exiface.apps.console import progress_bar
        from exiface.evaluation import judge
        from exiface.photos.alterations import ALTERATIONS

        with progress_bar("Judging") as progress:
            return judge(
                detector,
                self.reals,
                self.fakes,
                alterations=tuple(ALTERATIONS) if sweep else (),
                cropped=self.cropped,
                harmonised=self.harmonise,
                progress=progress,
            )


def _of_file(scores: Path, against: Path | None) -> "tuple[list[ScoredSet], dict[str, Any]]":
    """Sets of a file of scores, and what else the report needs."""
    from exiface.errors import UserError
    from exiface.evaluation.score_file import read_scores
    from exiface.evaluation.tables import against_table

    sets = read_scores(scores)
    known: dict[str, Any] = {"title": scores.name}
    if against is not None:
        if against.is_dir():
            raise UserError("scores can be compared with scores only: --against FILE.csv")
        others = read_scores(against, with_traits=False)
        known |= {"other": against.name, "against": against_table(sets, others)}
    return sets, known


def _of_folders(
    judging: _Judging,
    folder: Path | None,
    against: Path | None,
    *,
    sweep: bool,
    refit: bool,
) -> "tuple[list[ScoredSet], dict[str, Any]]":
    """Judge folders; the sets, and what else the report needs."""
    from exiface.apps.console import progress_bar
    from exiface.detector import Detector
    from exiface.evaluation.own_photographs import encode_sets
    from exiface.evaluation.score_file import read_scores
    from exiface.evaluation.tables import against_table

    detector = Detector.load(folder)
    other = Detector.load(against) if against is not None and against.is_dir() else None
    bands = detector.parts.calibration
    sets = judging(detector, sweep=sweep)
    known: dict[str, Any] = {
        "title": detector.id,
        "notice": detector.parts.notice,
        "harmonised": judging.harmonise,
        "alpha": bands.alpha,
        "beta": bands.beta,
    }
    if against is not None:
        others = judging(other) if other else read_scores(against, with_traits=False)
        known["other"] = other.id if other else against.name
        known["against"] = against_table(sets, others)
    if refit:
        with progress_bar("Encoding") as progress:
            known["features"] = encode_sets(
                detector, sets, cropped=judging.cropped, progress=progress
            )
    return sets, known


def _named(arguments: list[str]) -> dict[str, Path]:
    from exiface.errors import UserError

    named: dict[str, Path] = {}
    for argument in arguments:
        name, separator, folder = argument.partition("=")
        path = Path(folder if separator else argument)
        name = name if separator else path.name
        if not path.is_dir():
            raise UserError(f"{path} is not a folder")
        if name in named:
            raise UserError(f"two sets are called {name!r}; give one another name: NAME={path}")
        named[name] = path
    return named
