"""`exiface info`: what a detector is and what made it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from exiface.detector.folder import DetectorParts


def info(
    detector: Annotated[
        str | None,
        typer.Argument(help="`default`, `photographs-only`, `whole-image`, or a detector folder."),
    ] = None,
    json_object: Annotated[
        bool, typer.Option("--json", help="Print `detector.json` as one JSON object.")
    ] = False,
    card: Annotated[bool, typer.Option("--card", help="Print the model card.")] = False,
) -> None:
    """Describe a detector; its files are checked on the way."""
    from exiface.detector.folder import DETECTOR_FILE, detector_folder, read_folder

    folder = detector_folder(detector)
    parts = read_folder(folder)
    if json_object:
        print((folder / DETECTOR_FILE).read_text("utf-8"), end="")
    elif card:
        print(parts.card, end="")
    else:
        print_detector(parts, folder)


def print_detector(parts: "DetectorParts", folder: Path) -> None:
    """Print what a detector is, in a few lines."""
    from rich.console import Console
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    encoder, calibration = parts.encoder, parts.calibration
    low, high = calibration.true_rate()
    units = "sources" if calibration.by_source else "photographs"
    counts = {
        label: ", ".join(
            f"{of_set[key]} {key}"
            for key in ("photographs", "faces", "images", "groups", "cameras")
            if key in of_set
        )
        for label, of_set in (
            ("trained on", encoder.provenance.get("training", {})),
            ("fitted on", parts.provenance.get("fit", {})),
            ("calibrated on", parts.provenance.get("calibration", {})),
        )
    }
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    rows = {
        "detector": f"{parts.name}@{parts.digest[:12]}",
        "folder": f"{folder} ({size / 1e6:.1f} MB)",
        "encoder": f"{encoder.architecture}: {encoder.takes.sides} -> {encoder.features} features",
        "scored by": _scorer(parts),
        **{label: text for label, text in counts.items() if text},
        "verdict": parts.judge.promise(),
        "promise": f"at most {calibration.alpha:.3g} of photographs flagged, on average; with these "
        f"{units}, {low:.1%} to {high:.1%} (95 % interval)",
        "quality": ", ".join(
            f"{name} >= {limit:.3g}" for name, limit in parts.quality.as_dict().items()
        )
        or "no limits measured",
    }
    if weights := encoder.provenance.get("loss_weights"):
        rows["loss weights"] = ", ".join(f"{name} {each:.3g}" for name, each in weights.items())
    if parts.notice:
        rows["notice"] = parts.notice
    for label, text in rows.items():
        table.add_row(f"[bold]{label}[/]", text)
    Console().print(table)


def _scorer(parts: "DetectorParts") -> str:
    from exiface.scoring import Evidence, GaussianMixture

    if isinstance(parts.scorer, GaussianMixture):
        return f"Gaussian mixture, {parts.scorer.n_components} component(s)"
    if isinstance(parts.scorer, Evidence):
        return f"evidence of {', '.join(parts.provenance['fit']['evidence'])}"
    return "a classifier trained on generated faces"
