"""`exiface prepare`: from folders of photographs to a manifest."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from exiface.apps.options import ThreadsOption
from exiface.choices import Subject
from exiface.errors import UserError

if TYPE_CHECKING:
    from exiface.datasets import ScanSummary


def prepare(
    photos: Annotated[
        Path,
        typer.Argument(help="Folder of photographs, searched at any depth; or one of a layout."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The manifest (Parquet).")],
    records: Annotated[
        Path | None,
        typer.Option(
            help="CSV with a column `file` and any of photo, group, camera, source, generated, "
            "split, aperture, exposure_time, focal_length, iso_speed and further tags; wins over "
            "what the files say."
        ),
    ] = None,
    layout: Annotated[
        Literal["fdf"] | None,
        typer.Option(
            help="The folder is laid out like that: fdf, the published training data "
            "(SSL_training_data)."
        ),
    ] = None,
    splits: Annotated[
        str | None,
        typer.Option(
            help="Shares of the splits; default train=0.6,validation=0.1,fit=0.15,"
            "calibration=0.15; for fdf 5,000 faces for validation, the others for training."
        ),
    ] = None,
    min_face: Annotated[
        float, typer.Option(min=1, help="Shorter side in pixels below which a face is left out.")
    ] = 32,
    subject: Annotated[
        Subject,
        typer.Option(help="What a row is: a face, or a photograph as a whole, at its own pixels."),
    ] = "face",
    cropped: Annotated[
        bool,
        typer.Option("--cropped", help="Each picture is a face already cut out, taken whole."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the splits.")] = 0,
    workers: ThreadsOption = None,
    json_summary: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON instead of a table.")
    ] = False,
) -> None:
    """Read tags, find faces, deal out splits; an interrupted run goes on where it stopped.

    Faces of one photograph, and photographs of one group, never stand in two splits.
    """
    import json
    from dataclasses import asdict

    from exiface.apps.console import progress_bar
    from exiface.datasets import SPLITS, read_records, scan
    from exiface.papers.exif_ranking.fdf import read_fdf

    if not photos.is_dir():
        raise UserError(f"{photos} is not a folder; name the folder of your photographs")
    fractions = _fractions(splits) if splits else None
    output.parent.mkdir(parents=True, exist_ok=True)
    journal = output.with_name(output.name + ".journal")
    if layout == "fdf":
        if records is not None or cropped or subject == "image":
            raise UserError(
                "--records, --cropped and --subject are for folders of photographs; fdf has its own"
            )
        with progress_bar("Indexing faces") as progress:
            manifest, summary = read_fdf(
                photos, fractions=fractions, seed=seed, workers=workers, progress=progress
            )
    else:
        known = read_records(records) if records else None
        with progress_bar("Reading photographs") as progress:
            manifest, summary = scan(
                photos,
                records=known,
                fractions=fractions or SPLITS,
                min_face=min_face,
                cropped=cropped,
                subject=subject,
                seed=seed,
                workers=workers,
                journal=journal,
                progress=progress,
            )
    if not len(manifest):
        reasons = ", ".join(f"{len(files)} {reason}" for reason, files in summary.left_out.items())
        raise UserError(f"{photos}: no {subject} to use in {summary.files} images ({reasons})")
    described = json.dumps(asdict(summary), indent=2)
    manifest.write(output)
    output.with_name(output.name + ".summary.json").write_text(described + "\n", "utf-8")
    journal.unlink(missing_ok=True)
    if json_summary:
        print(described)
    else:
        _print_summary(summary, output)


def _fractions(text: str) -> dict[str, float]:
    from exiface.datasets import SPLITS

    fractions = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        try:
            fractions[name.strip()] = float(share)
        except ValueError:
            raise UserError(f"--splits: {part!r} must be NAME=SHARE, such as train=0.6") from None
    if unknown := set(fractions) - set(SPLITS):
        raise UserError(
            f"--splits: unknown {', '.join(sorted(unknown))}; known are {', '.join(SPLITS)}"
        )
    return fractions


def _print_summary(summary: "ScanSummary", output: Path) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    console.print(
        f"[bold]{summary.rows} {summary.subject}s[/] in {summary.photos} photographs of "
        f"{summary.cameras} cameras ({summary.files} files) -> {output}"
    )
    console.print("  ".join(f"{name} {count}" for name, count in sorted(summary.splits.items())))
    for what, count in summary.found.items():
        console.print(f"{what}: {count}")
    columns = ("tag", f"{summary.subject}s", "lowest", "median", "highest")
    table = Table(*columns, box=None, header_style="bold")
    for name, values in summary.tags.items():
        numbers = (values.get(key) for key in ("lowest", "median", "highest"))
        cells = ("" if number is None else f"{number:.4g}" for number in numbers)
        table.add_row(name.replace("_", " "), f"{values['present']:.0f}", *cells)
    console.print(table)
    if not any(values["present"] for values in summary.tags.values()):
        console.print(
            "[yellow]No photograph has a camera tag: good for `fit`, but `train` has nothing to "
            "rank. Metadata may have been stripped, or stands in a CSV (--records).[/]"
        )
    for exclusion in summary.exclusions():
        console.print(f"[dim]{escape(exclusion)}[/]")
