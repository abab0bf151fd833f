"""`exiface drift`: do recent photographs still resemble those of the calibration?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exiface.apps.options import DetectorOption, JsonOption
from exiface.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from exiface.detector.folder import DetectorParts


def drift(
    scores: Annotated[
        Path,
        typer.Argument(
            help="Folder or part of `exiface score`, or the CSV of `exiface detect --csv`, of "
            "photographs that you know to be photographs."
        ),
    ],
    detector: DetectorOption = None,
    plot: Annotated[
        Path | None, typer.Option(help="Also draw the p-values against uniform (SVG).")
    ] = None,
    json_object: JsonOption = False,
) -> None:
    """Compare p-values of recent photographs with what the calibration promises.

    Exit status: 0 = no drift, 1 = drift, 2 = wrong usage.
    """
    import json
    from dataclasses import asdict

    from exiface.detector.folder import detector_folder, read_folder
    from exiface.evaluation.drift import measure_drift

    parts = read_folder(detector_folder(detector))
    calibration = parts.calibration
    p_values = _p_values(scores, parts)
    references = calibration.references
    several = len(references) > 1 or calibration.by_source
    calibrated = min(reference.units for reference in references)
    found = measure_drift(p_values, calibrated, calibration.alpha, worst_of_several=several)
    if plot is not None:
        from exiface.evaluation.plots import p_value_plot

        plot.parent.mkdir(parents=True, exist_ok=True)
        plot.write_text(p_value_plot({scores.name: p_values}), "utf-8")
    if json_object:
        print(json.dumps(asdict(found) | {"broken": found.broken, "drifted": found.drifted}))
    else:
        usual = "above one half" if several else "one half"
        typer.echo(
            f"{found.photographs} recent photographs were compared with {calibration.counted}.\n"
            f"{found.flagged:.1%} of them have a p-value of at most {found.alpha:g}, which is "
            f"promised of at most {found.alpha:.0%} (95 % interval {found.low:.1%} to "
            f"{found.high:.1%}). Chance alone gives as many, or more, with probability "
            f"{found.too_many:.2g}.\n"
            f"The middle p-value is {found.median:.2f}; photographs that haven't changed would "
            f"give {usual}. The p-values depart from what is expected by up to "
            f"{found.distance:.3f}; chance alone gives as much, or more, with probability "
            f"{found.otherwise:.2g}.\n"
            f"{found.sentence()}"
        )
    raise typer.Exit(1 if found.drifted else 0)


def _p_values(path: Path, parts: "DetectorParts") -> "NDArray[np.float64]":
    """One p-value an image: those of several faces of one image aren't independent."""
    import numpy as np

    whole = parts.encoder.subject == "image"
    found, judges = (_of_csv if path.suffix == ".csv" else _of_parts)(path, whole)
    if wrong := judges - {parts.id}:
        raise UserError(
            f"{path} holds scores of {' and '.join(sorted(wrong))}, not of {parts.id}; name that "
            "detector with --detector, or score the photographs again"
        )
    if not found:
        raise UserError(
            f"{path} holds no verdict on {'an image as a whole' if whole else 'a face'}, which "
            f"{parts.name} looks at; name another detector with --detector, or score again"
        )
    return np.array(found, float)


def _of_csv(path: Path, whole: bool) -> tuple[list[float], set[str]]:
    """P-values in a file of `exiface detect --csv`, and the ids of the detectors that judged."""
    import csv

    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        if "p_value" not in (reader.fieldnames or ()):
            raise UserError(f"{path} has no column `p_value`; exiface detect --csv writes one")
        chosen = ("image",) if whole else ("", "0")
        rows = [row for row in reader if row.get("face", "0") in chosen and row["p_value"]]
    judges = {row["detector"] for row in rows if row.get("detector")}
    return [float(row["p_value"]) for row in rows], judges


def _of_parts(path: Path, whole: bool) -> tuple[list[float], set[str]]:
    """P-values in the parts of `exiface score`, and the ids of the detectors that judged."""
    from exiface.detector.rejudging import judged_by, read_scored

    table = read_scored(path)
    if whole:
        images = [image for image in table["image"].to_pylist() if image is not None]
        return [each["p_value"] for each in images], {each["detector"] for each in images}
    faces = [several[0] for several in table["faces"].to_pylist() if several]
    # Those of faces are named first, where whole images were judged as well.
    return [each["p_value"] for each in faces], {judged_by(table).split(" + ")[0]}
