"""`exiface supervise`: from an encoder and examples of both classes to a binary encoder."""

from pathlib import Path
from typing import Annotated

import typer

from exiface.apps.options import ENCODER, scanned


def supervise(
    encoder: Annotated[str, typer.Option(help=ENCODER)],
    real: Annotated[
        list[Path], typer.Option(help="Folder of photographs, or of faces; repeatable.")
    ],
    fake: Annotated[list[Path], typer.Option(help="Folder of generated faces; repeatable.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Encoder folder to write, for fit.")
    ],
    photos: Annotated[
        Path | None,
        typer.Option(
            help="Manifest that the encoder was trained with: its training photographs stand with "
            "the photographs, and smoothed with the generated faces."
        ),
    ] = None,
    views: Annotated[
        int, typer.Option(min=1, help="How often each face is seen; altered after the first time.")
    ] = 6,
    strength: Annotated[
        float, typer.Option(min=1e-9, help="C of the logistic regression; lower = simpler.")
    ] = 0.01,
    hidden: Annotated[
        int | None,
        typer.Option(
            min=1, help="Units of a hidden layer (BLADES: 1536), in place of the regression."
        ),
    ] = None,
    outliers: Annotated[
        float,
        typer.Option(
            min=0, max=0.5, help="Share of photographs, the least likely, that join the generated."
        ),
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.")] = 0,
) -> None:
    """Learn to tell generated faces from photographs by examples of both.

    The result knows the generators that it has seen: leave each out in turn to measure how it fares
    on others. Then `exiface fit --encoder ENCODER --photos MANIFEST -o DETECTOR` calibrates it.
    """
    from exiface.apps.console import progress_bar
    from exiface.datasets import Manifest
    from exiface.detector.folder import encoder_named
    from exiface.detector.supervised import supervise as learnt
    from exiface.detector.supervised import write_supervised

    files = encoder_named(encoder)
    photographs, generated = (
        [scanned(each, f"Finding faces in {each}", fractions={"train": 1.0}) for each in folders]
        for folders in (real, fake)
    )
    camera = None if photos is None else Manifest.read(photos)
    with progress_bar("Encoding") as progress:
        classifier, made_of = learnt(
            files,
            photographs,
            generated,
            camera=camera,
            views=views,
            strength=strength,
            hidden=hidden,
            outliers=outliers,
            seed=seed,
            progress=progress,
        )
    write_supervised(files, classifier, made_of, [*photographs, *generated], output)
    typer.echo(
        f"{made_of['photographs']} photographs and {made_of['camera']} of the encoder's training, "
        f"{made_of['generated']} generated faces, {views} views each -> {output}"
    )
