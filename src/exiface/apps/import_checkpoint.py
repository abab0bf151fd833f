"""`exiface import`: from one of the authors' checkpoints to an encoder."""

from pathlib import Path
from typing import Annotated

import typer

from exiface.choices import Released


def import_checkpoint(
    checkpoint: Annotated[
        Path, typer.Argument(help="The file (.pth, .safetensors), as downloaded.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Encoder folder to write, for fit and evaluate.")
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            help="What it is: exif-pretrained, exif-ranking, blades-oc, blades-bc, sdaie-backbone "
            "or sdaie-binary; without it, told by its keys and the authors' file name."
        ),
    ] = None,
    architecture: Annotated[
        str | None,
        typer.Option(
            help="A file of weights of anyone's: torchvision:NAME, timm:NAME, or "
            "package.module:function, the network that they belong to."
        ),
    ] = None,
    resize: Annotated[
        Released,
        typer.Option(
            help="How faces are resized: as under the authors' torchvision, with which their "
            "figures were made, or as their program does under a current one."
        ),
    ] = "plain",
) -> None:
    """Turn a published checkpoint, or other weights, into an encoder; nothing in it is executed.

    Then `exiface fit --encoder ENCODER --photos DIR -o DETECTOR` makes a detector of it.
    """
    from exiface.encoders.to_onnx import import_weights
    from exiface.papers.checkpoints import read_checkpoint, write_encoder

    if architecture is not None:
        model = import_weights(checkpoint, architecture, output)
        typer.echo(f"{checkpoint.name}: weights of {architecture}\nencoder: {model}")
        return
    found = read_checkpoint(checkpoint, kind)
    model = write_encoder(found, output, resize=resize)
    typer.echo(f"{checkpoint.name}: {found.kind}, {found.title}")
    if found.heads:
        typer.echo(f"heads: {', '.join(found.heads)}")
    if found.classifier:
        typer.echo("classifier: a detector of this encoder gives probabilities, calibrated by fit")
    typer.echo(f"encoder: {model}")
