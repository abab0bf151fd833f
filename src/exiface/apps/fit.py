"""`exiface fit`: from an encoder and photographs to a detector."""

from pathlib import Path
from typing import Annotated

import typer

from exiface.apps.options import (
    ENCODER,
    GeneratedOption,
    LeastSizeOption,
    NameOption,
    generated_faces,
    read_or_scanned,
)
from exiface.choices import FitSplit


def fit(
    encoder: Annotated[str, typer.Option(help=ENCODER)],
    photos: Annotated[
        list[Path],
        typer.Option(
            help="Manifest of `exiface prepare`, or a folder of photographs; repeatable: joined. "
            "Generated faces in it are left out."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Detector folder to write.")],
    name: NameOption = None,
    components: Annotated[
        int | None,
        typer.Option(
            min=1, help="Of the mixture; without it, chosen by the likelihood of photos left out."
        ),
    ] = None,
    evidence: Annotated[
        list[str] | None,
        typer.Option(
            help="Head of the encoder that scores, with others, instead of a mixture; repeatable. "
            "With a leading minus, low outputs are suspicious: --evidence=-iso_speed. With a "
            "trailing :FLOOR or :FLOOR:WEIGHT, the least tail probability that it counts with "
            "(0.05; nan: it counts with its deviations) and what it weighs (1): generated:nan:3."
        ),
    ] = None,
    fit_split: Annotated[
        FitSplit,
        typer.Option(
            help="Split of the manifest that is fitted on; with validation, that of fit calibrates "
            "as well."
        ),
    ] = "fit",
    as_sent: Annotated[
        bool,
        typer.Option(
            "--as-sent", help="Take pictures as they arrive: saved again and shrunk at random."
        ),
    ] = False,
    alpha: Annotated[float, typer.Option(help="Promised false-alarm rate.")] = 0.05,
    beta: Annotated[
        float, typer.Option(help='p-value from which on: "nothing-found", without --generated.')
    ] = 0.2,
    per_photo: Annotated[
        int, typer.Option(min=1, help="Faces of a photograph that the density is fitted on.")
    ] = 2,
    per_camera: Annotated[
        int | None, typer.Option(min=1, help="Faces of a camera, in fit and in calibration.")
    ] = None,
    least_size: LeastSizeOption = None,
    generated: GeneratedOption = None,
    card: Annotated[
        Path | None, typer.Option(help="Markdown added to the model card (data, licences).")
    ] = None,
    licence: Annotated[
        str,
        typer.Option(
            "--license",
            help="Of the detector, for the card's header, as hubs of models name it: apache-2.0.",
        ),
    ] = "other",
    notice: Annotated[
        str, typer.Option(help="Shown with every verdict: what readers must know of this detector.")
    ] = "",
    seed: Annotated[int, typer.Option(help="Of the choice of faces and the mixture.")] = 0,
) -> None:
    """Fit a density to the features of photographs and calibrate it on others.

    Where photographs of twenty sources or more calibrate (a manifest's column `source`), each
    source weighs the same, and the promise is made for a photograph of a source that nobody has
    seen. With fewer sources, each has a p-value of its own, and the largest counts.
    """
    from dataclasses import replace

    from exiface.apps.console import progress_bar
    from exiface.apps.info import print_detector
    from exiface.datasets import Manifest
    from exiface.detector.calibrating import Promise, completed
    from exiface.detector.fitting import Fitting
    from exiface.detector.fitting import fit as fit_detector
    from exiface.detector.folder import encoder_named, read_folder, write_folder
    from exiface.scoring import Head

    if evidence and components:
        raise typer.BadParameter("--evidence stands instead of a mixture: leave out --components")
    files = encoder_named(encoder)
    subject = files.description.subject
    halves = {"fit": 0.5, "calibration": 0.5}
    manifests = [
        read_or_scanned(path, "Reading photographs", fractions=halves, subject=subject, seed=seed)
        for path in photos
    ]
    known = generated_faces(generated or [], subject, least_size)
    with progress_bar("Fitting") as progress:
        parts = fit_detector(
            files,
            Manifest.joined(manifests),
            name=name or output.resolve().name,
            fitting=Fitting(
                components=components,
                evidence=tuple(map(Head.parse, evidence or ())),
                split=fit_split,
                per_photo=per_photo,
            ),
            promise=Promise(
                alpha=alpha,
                beta=beta,
                per_camera=per_camera,
                as_sent=as_sent,
                least_size=least_size,
                seed=seed,
            ),
            generated=known,
            progress=progress,
        )
    parts = completed(replace(parts, provenance=parts.provenance | {"license": licence}))
    added = "" if card is None else "\n" + card.read_text("utf-8")
    write_folder(replace(parts, card=parts.card + added, notice=notice), output)
    print_detector(read_folder(output), output)
