"""`exiface train`: from a manifest to an encoder."""

from pathlib import Path
from typing import Annotated

import typer


def train(
    data: Annotated[
        list[Path], typer.Option(help="Manifest of `exiface prepare`; repeatable: joined.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Run folder; one that was interrupted goes on.")
    ],
    config: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|NAME",
            help="YAML file of settings, or one that comes with exiface: `published` (EXIF "
            "ranking), `blades`, `sdaie`, and others that a wrong name lists.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="One setting; wins over the file."),
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option(
            help="Weights of the same backbone to start from: a state dictionary, or the "
            "checkpoint.safetensors of another run."
        ),
    ] = None,
    text: Annotated[
        Path | None,
        typer.Option(
            help="Weights of the text encoder, for heads=sentences: CLIP's RN50.pt, or a "
            "checkpoint of BLADES."
        ),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the photographs, where it has moved since `prepare`; for one manifest."
        ),
    ] = None,
) -> None:
    """Train an encoder to rank camera tags and to spot manipulated, and if wanted generated, faces.

    Several processes: `torchrun --nproc-per-node N -m exiface train ...`.
    """
    from exiface.apps.console import progress_bar, show_information
    from exiface.datasets import Manifest
    from exiface.training import read_config
    from exiface.training import train as run_training
    from exiface.training.distributed import process_group

    show_information()
    resolved = read_config(config, settings or ())
    if root is not None and len(data) > 1:
        raise typer.BadParameter("--root is for one manifest; join them where they lie")
    manifest = Manifest.joined([Manifest.read(path, root=root) for path in data])
    with process_group() as process, progress_bar("Training") as progress:

        def report(step: int, total: int, figures: dict[str, float]) -> None:
            progress(step, total)
            shown = {
                name: value
                for name, value in figures.items()
                if name.startswith("spearman") or name.endswith("_auc")
            }
            if shown:
                line = ", ".join(f"{name} {value:.3f}" for name, value in shown.items())
                typer.echo(f"step {step}/{total}: {line}", err=True)

        encoder = run_training(
            resolved, manifest, output, process, init=init, text=text, report=report
        )
    if process.writes:
        typer.echo(f"encoder: {encoder}")
