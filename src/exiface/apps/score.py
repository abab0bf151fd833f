"""`exiface score`: millions of images into Parquet parts."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exiface.apps.options import DetectorOption, SubjectOption

if TYPE_CHECKING:
    from collections import Counter


def score(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Folder of the run; it goes on there."),
    ],
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE",
            help="Folders, tar files, manifests or other Parquet files with a column `path`, or "
            "`-` for paths on standard input. None: go on with the run in DIR.",
        ),
    ] = None,
    detector: DetectorOption = None,
    subject: SubjectOption = None,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Score the I-th of N shares, counted from 1."),
    ] = None,
    ray: Annotated[
        bool, typer.Option("--ray", help="Share the work on a Ray cluster (RAY_ADDRESS).")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="With --ray: processes; without it, one a core.")
    ] = None,
    block: Annotated[
        int, typer.Option(min=1, help="Images of a part; what a kill can cost. A tar is one.")
    ] = 512,
    batch_size: Annotated[int, typer.Option(min=1, help="Faces judged at a time.")] = 32,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Of a process; without it, one a core, with --ray one."),
    ] = None,
) -> None:
    """Score many images: one row an image in DIR/part-*.parquet, whatever interrupts it.

    Run it again to go on. Exit status: 0 = every image has a verdict, 1 = some have none (column
    `reason`), 2 = wrong usage.
    """
    from exiface.apps.bulk.inputs import number_of_images, settled_blocks
    from exiface.apps.bulk.parts import finished
    from exiface.apps.bulk.scoring import score_blocks
    from exiface.apps.bulk.scoring import shard as of_shard
    from exiface.apps.console import rate_bar
    from exiface.apps.standard_input import read_paths
    from exiface.detector import Detector

    part, parts = _shard(shard)
    judge = Detector.load(detector, subject=subject, threads=threads)
    blocks = of_shard(
        settled_blocks(output, sources or [], read_paths(sys.stdin.buffer), block), part, parts
    )
    done = finished(output, judge.id)
    todo = [block for block in blocks if block.number not in done]
    if len(todo) < len(blocks):
        typer.echo(f"{len(blocks) - len(todo)} of {len(blocks)} blocks are done already", err=True)
    with rate_bar("Scoring", number_of_images(todo)) as report:
        if ray:
            from exiface.apps.bulk.on_ray import score_on_ray

            counts = score_on_ray(
                detector,
                todo,
                output,
                subject=subject,
                batch_size=batch_size,
                workers=workers,
                threads=threads or 1,
                report=report,
            )
        else:
            counts = score_blocks(judge, todo, output, batch_size=batch_size, report=report)
    _print_counts(counts, output)
    raise typer.Exit(1 if counts["no verdict"] else 0)


def _shard(text: str | None) -> tuple[int, int]:
    from exiface.errors import UserError

    if text is None:
        return 1, 1
    part, separator, parts = text.partition("/")
    if not (separator and part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise UserError(f"--shard must be I/N with 1 <= I <= N, such as 3/8, got {text!r}")
    return int(part), int(parts)


def _print_counts(counts: "Counter[str]", output: Path) -> None:
    said = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    typer.echo(f"{counts.total()} images scored now{': ' if said else ''}{said}")
    typer.echo(f"parts: {output}/part-*.parquet")
