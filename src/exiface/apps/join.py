"""`exiface join`: two encoders in one, so that a detector can combine what both know."""

from pathlib import Path
from typing import Annotated

import typer


def join(
    first: Annotated[Path, typer.Argument(help="Encoder folder whose preprocessing cuts faces.")],
    second: Annotated[
        Path, typer.Argument(help="Encoder folder; of heads that both have, its own are kept.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Encoder folder to write.")],
) -> None:
    """Put the features of two encoders side by side.

    Then `exiface fit --encoder ENCODER --evidence HEAD --evidence HEAD ...` combines their heads.
    """
    from exiface.encoders.joined import join as joined
    from exiface.encoders.runtime import read_description

    model = joined(first, second, output)
    description = read_description(output)
    typer.echo(
        f"{description.architecture}: {description.features} features, "
        f"{model.stat().st_size / 1e6:.1f} MB -> {output}"
    )
