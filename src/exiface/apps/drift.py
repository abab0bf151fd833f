"""`exiface drift`: do recent photographs still resemble those of the calibration?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exiface.apps.options import DetectorOption

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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
    json_object: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of text.")
    ] = False,
) -> None:
    """Compare p-values of recent photographs with what the calibration promises.

    Exit status: 0 = no drift, 1 = drift, 2 = wrong usage.
    """
    import json
    from dataclasses import asdict

    from exiface.detector.folder import detector_folder, read_folder
    from exiface.evaluation.drift import measure_drift

    calibration = read_folder(detector_folder(detector)).calibration
    p_values = _p_values(scores)
    references = calibration.references
    several = len(references) > 1 or calibration.by_source
    found = measure_drift(
        p_values,
        min(reference.units for reference in references),
        calibration.alpha,
        worst_of_several=several,
    )
    if plot is not None:
        from exiface.evaluation.plots import p_value_plot

        plot.parent.mkdir(parents=True, exist_ok=True)
        plot.write_text(p_value_plot({scores.name: p_values}), "utf-8")
    if json_object:
        print(json.dumps(asdict(found) | {"broken": found.broken, "drifted": found.drifted}))
    else:
        usual = "above 0.5" if several else "0.5"
        typer.echo(
            f"{found.photographs} photographs against {found.calibrated} of the calibration\n"
            f"flagged at the promised {found.alpha:.0%}: {found.flagged:.1%} (95 % interval "
            f"{found.low:.1%} to {found.high:.1%}); as many by chance: {found.too_many:.2g}\n"
            f"p-values: median {found.median:.2f} ({usual} if nothing has changed), distance from "
            f"uniform {found.distance:.3f}; as far by chance: {found.otherwise:.2g}\n"
            f"{found.sentence()}"
        )
    raise typer.Exit(1 if found.drifted else 0)


def _p_values(path: Path) -> "NDArray[np.float64]":
    """One p-value an image, that of its largest face: those of one image aren't independent."""
    import csv

    import numpy as np

    from exiface.errors import UserError

    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            if "p_value" not in (reader.fieldnames or ()):
                raise UserError(f"{path} has no column `p_value`; exiface detect --csv writes one")
            rows = [row["p_value"] for row in reader if row.get("face", "0") in ("", "0")]
        return np.array([float(value) for value in rows if value])
    try:
        import pyarrow
        from pyarrow import compute, parquet
    except ImportError:
        raise UserError("reading parts needs pyarrow: pip install 'exiface[bulk]'") from None
    files = sorted(path.glob("part-*.parquet")) if path.is_dir() else [path]
    if not files:
        raise UserError(f"{path} holds no parts of exiface score")
    try:
        faces = pyarrow.concat_tables(
            [parquet.read_table(file, columns=["faces"]) for file in files]
        ).column("faces")
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UserError(f"{path} is no part of exiface score: {error}") from None
    largest = compute.list_element(
        faces.filter(compute.greater(compute.list_value_length(faces), 0)), 0
    )
    return np.asarray(compute.struct_field(largest, "p_value").to_numpy(), float)
