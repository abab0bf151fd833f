"""`exiface evaluate`: how well a detector does on labelled folders."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from exiface.evaluation import Row


def evaluate(
    real: Annotated[
        list[str],
        typer.Option(metavar="[NAME=]DIR", help="Folder of photographs; several are allowed."),
    ],
    fake: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]DIR",
            help="Folder of generated faces; NAME `SET` or `SET/GENERATOR` is compared with the "
            "real set SET, any other with all real sets.",
        ),
    ] = None,
    detector: Annotated[
        Path | None,
        typer.Option(help="Detector folder; without it, the detector inside the package."),
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Also write the table as CSV.")
    ] = None,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Print JSON lines instead of a table.")
    ] = False,
    cropped: Annotated[
        bool, typer.Option("--cropped", help="Each image is a face already cut out.")
    ] = False,
) -> None:
    """Measure a detector: AUC, average precision, recall, and the false-alarm rate it keeps."""
    import csv
    import json
    from dataclasses import asdict, fields

    from exiface.apps.console import progress_bar
    from exiface.detector import Detector
    from exiface.evaluation import Row
    from exiface.evaluation import evaluate as measure

    judge = Detector.load(detector)
    reals, fakes = _named(real), _named(fake or [])
    with progress_bar("Judging") as progress:
        rows = measure(judge, reals, fakes, cropped=cropped, progress=progress)
    if csv_file is not None:
        csv_file.parent.mkdir(parents=True, exist_ok=True)
        with csv_file.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, [field.name for field in fields(Row)])
            writer.writeheader()
            writer.writerows(_rounded(asdict(row)) for row in rows)
    if json_lines:
        for row in rows:
            print(json.dumps(_rounded(asdict(row))))
    else:
        _print_table(rows, judge.parts.calibration.alpha)


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


def _rounded(values: dict[str, object]) -> dict[str, object]:
    return {
        key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()
    }


def _print_table(rows: "list[Row]", alpha: float) -> None:
    from rich.console import Console
    from rich.table import Table

    def share(value: float | None) -> str:
        return "" if value is None else f"{value:.1%}"

    console = Console()
    real = Table("photographs", box=None, header_style="bold", pad_edge=False)
    for column in ("images", "no face", "flagged", "95 % interval", "unsure"):
        real.add_column(column, justify="right", no_wrap=True)
    fake = Table("generated", box=None, header_style="bold", pad_edge=False)
    for column in ("images", "AUC", "AP gen", "AP photo", "at 5 %", "at 1 %", "flagged"):
        fake.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        if row.kind == "real":
            interval = f"{share(row.flagged_low)} to {share(row.flagged_high)}"
            counts = (str(row.images), str(row.no_verdict))
            real.add_row(row.name, *counts, share(row.flagged), interval, share(row.unsure))
            continue
        figures = (row.auc, row.ap_generated, row.ap_photographic)
        fake.add_row(
            f"mean {row.name}" if row.kind == "mean" else row.name,
            str(row.images),
            *("" if value is None else f"{value:.3f}" for value in figures),
            *(share(value) for value in (row.recall_at_5, row.recall_at_1, row.flagged)),
            style="bold" if row.kind == "mean" else "",
        )
    console.print(f"False alarms: promised at most {alpha:.0%}, measured:\n")
    console.print(real)
    if fake.row_count:
        console.print("\nGenerated faces (at 5 %, at 1 %: recall at that many false alarms):\n")
        console.print(fake)
