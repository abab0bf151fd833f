"""`exiface score`: millions of images into Parquet parts."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from exiface.apps.options import DetectorOption, SubjectOption, refuse_address
from exiface.errors import UserError


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

    Run it again to go on. Exit status: 0 = every image of the run, or of the share, has a verdict,
    1 = some have none (column `reason`), 2 = wrong usage.
    """
    from exiface.apps.bulk.inputs import number_of_images, settled_blocks
    from exiface.apps.bulk.parts import finished
    from exiface.apps.bulk.scoring import score_blocks
    from exiface.apps.console import rate_bar
    from exiface.apps.standard_input import read_paths
    from exiface.detector import Detector

    for source in sources or []:
        refuse_address(source)
    part, parts = (1, 1) if shard is None else _shard(shard)
    judge = Detector.load(detector, subject=subject, threads=threads)
    every = settled_blocks(output, sources or [], read_paths(sys.stdin.buffer), block)
    blocks = [each for each in every if each.number % parts == part - 1]
    done = finished(output, judge.id)
    todo = [each for each in blocks if each.number not in done]
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
    said = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    images = "image" if counts.total() == 1 else "images"
    typer.echo(f"{counts.total()} {images} scored now{': ' if said else ''}{said}")
    # The status is that of the run, whichever of its starts met an image without a verdict.
    former = sum(done.get(each.number, 0) for each in blocks)
    if former:
        typer.echo(f"no verdict among those scored before: {former} (column `reason`)")
    typer.echo(f"parts: {output}/part-*.parquet")
    raise typer.Exit(1 if counts["no verdict"] or former else 0)


def _shard(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts)):
        raise UserError(f"--shard must be I/N with 1 <= I <= N, such as 3/8, got {text!r}")
    return int(part), int(parts)
