"""`exiface features`: what an encoder makes of faces or whole images, for programs of one's own."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from exiface.apps.options import ENCODER, ThreadsOption
from exiface.errors import UserError


def features(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="Images, folders, tar files, manifests or other Parquet files with a column "
            "`path`, or `-` for paths on standard input.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Parquet file to write.")
    ],
    encoder: Annotated[str, typer.Option(help=ENCODER)],
    cropped: Annotated[
        bool, typer.Option("--cropped", help="Each image is a face already cut out, taken whole.")
    ] = False,
    block: Annotated[
        int, typer.Option(min=1, help="Images of a part; what a kill can cost.")
    ] = 512,
    batch_size: Annotated[int, typer.Option(min=1, help="Faces encoded at a time.")] = 32,
    threads: ThreadsOption = None,
) -> None:
    """Write feature vectors: one row a face, or an image where the encoder looks at whole images.

    Columns: `path`, `box` (x0, y0, x1, y1), `vector`, and `reason` where there is none.
    Interrupted, the same command goes on. Exit status: 0 = every image has a vector, 1 = some have
    none, 2 = wrong usage.
    """
    from exiface.apps.bulk.features import FeatureReader, encode_blocks, join_parts
    from exiface.apps.bulk.inputs import number_of_images, settled_blocks
    from exiface.apps.bulk.parts import finished
    from exiface.apps.console import rate_bar
    from exiface.apps.standard_input import read_paths

    if output.exists():
        raise UserError(f"{output} is there already; name another file, or delete it")
    reader = FeatureReader(encoder, cropped=cropped, threads=threads)
    folder = output.with_name(output.name + ".parts")
    blocks = settled_blocks(folder, sources, read_paths(sys.stdin.buffer), block)
    done = finished(folder, reader.id)
    todo = [each for each in blocks if each.number not in done]
    with rate_bar("Encoding", number_of_images(todo)) as report:
        encode_blocks(reader, todo, folder, batch_size=batch_size, report=report)
    vectors, reasons = join_parts(folder, blocks, output)
    typer.echo(f"{output}: {vectors} vectors" + (f", {reasons} images without" if reasons else ""))
    raise typer.Exit(1 if reasons else 0)
