"""`exiface calibrate`: the promise of a detector, renewed on other photographs."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exiface.apps.options import (
    GeneratedOption,
    LeastSizeOption,
    NameOption,
    generated_faces,
    read_or_scanned,
)
from exiface.choices import Subject
from exiface.errors import UserError

if TYPE_CHECKING:
    from exiface.datasets import Manifest

_RENEWED = "Recalibrated on own photographs; what follows was measured before that."
_PROMISED = "Promises {:.3g} in place of {:.3g}; what follows was measured before that."


def calibrate(
    detector: Annotated[
        str, typer.Argument(help="`default`, `photographs-only`, or a detector folder.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Detector folder to write.")],
    photos: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of photographs, a source each, or a manifest of `exiface prepare`; "
            "repeatable. Without it, those that calibrate the detector already."
        ),
    ] = None,
    name: NameOption = None,
    alpha: Annotated[
        float | None, typer.Option(help="Promised false-alarm rate; without it, as before.")
    ] = None,
    beta: Annotated[
        float | None,
        typer.Option(
            help='p-value from which on: "nothing-found", without --generated; without it, as '
            "before."
        ),
    ] = None,
    per_camera: Annotated[
        int | None, typer.Option(min=1, help="Photographs of a camera at most.")
    ] = None,
    least_size: LeastSizeOption = None,
    generated: GeneratedOption = None,
    seed: Annotated[int, typer.Option(help="Of the choice where a camera has more.")] = 0,
) -> None:
    """Calibrate a detector on your own photographs: a minute, no training.

    Encoder and density stay as they are. Use photographs as your users send them, none of them
    generated and none that trained or fitted the detector; the false-alarm rate is then promised
    for photographs like those. What generated faces score is measured anew (`--generated`); without
    it the verdict "photographic" is never given.

    Without `--photos`, `--alpha` changes the rate that is promised of the photographs that
    calibrate the detector already: a second.
    """
    from exiface.apps.console import progress_bar
    from exiface.apps.info import print_detector
    from exiface.datasets import Manifest
    from exiface.detector.calibrating import calibrate as renewed
    from exiface.detector.calibrating import promise_of, promised
    from exiface.detector.folder import detector_folder, read_folder, write_folder

    parts = read_folder(detector_folder(detector))
    subject = parts.encoder.subject
    name = name or output.resolve().name
    former = promise_of(parts)
    promise = replace(
        former,
        alpha=former.alpha if alpha is None else alpha,
        beta=former.beta if beta is None else beta,
        per_camera=per_camera,
        least_size=former.least_size if least_size is None else least_size,
        seed=seed,
    )
    if not photos:
        same = (promise.alpha, promise.beta) == (former.alpha, former.beta)
        if generated or least_size is not None or same:
            raise UserError("name photographs to calibrate on (--photos), or another --alpha")
        parts = promised(parts, name=name, alpha=promise.alpha, beta=promise.beta)
        said = _PROMISED.format(promise.alpha, former.alpha)
    else:
        manifest = Manifest.joined([_photographs(path, subject) for path in photos])
        known = generated_faces(generated or [], subject, promise.least_size)
        with progress_bar("Calibrating") as progress:
            parts = renewed(
                parts, manifest, name=name, promise=promise, generated=known, progress=progress
            )
        said = _RENEWED
    # What was said of the detector was measured with its former calibration.
    notice = parts.notice
    if notice and not notice.startswith(said):
        notice = f"{said} {notice}"
    write_folder(replace(parts, notice=notice), output)
    print_detector(read_folder(output), output)


def _photographs(path: Path, subject: Subject) -> "Manifest":
    """Those of a folder, a source of its own, or of a manifest."""
    import numpy as np

    fractions = {"calibration": 1.0}
    found = read_or_scanned(path, "Reading photographs", fractions=fractions, subject=subject)
    if not path.is_dir():
        return found
    source = np.where(found.source == "", path.resolve().name, found.source)
    return replace(found, source=source)
