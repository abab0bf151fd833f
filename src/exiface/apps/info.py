"""`exiface info`: what a detector is and what made it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exiface.apps.console import print_rows
from exiface.errors import UserError

if TYPE_CHECKING:
    from exiface.detector.folder import DetectorParts
    from exiface.encoders import EncoderDescription, EncoderFolder


def info(
    detector: Annotated[
        str | None,
        typer.Argument(
            help="`default`, `photographs-only`, `whole-image`, or the folder of a detector or of "
            "an encoder."
        ),
    ] = None,
    json_object: Annotated[
        bool,
        typer.Option("--json", help="Print `detector.json` (or `encoder.json`) as one object."),
    ] = False,
    card: Annotated[bool, typer.Option("--card", help="Print the model card.")] = False,
) -> None:
    """Describe a detector or an encoder; its files are checked on the way."""
    import json

    from exiface.detector.folder import DETECTOR_FILE, detector_folder, read_folder
    from exiface.encoders import EncoderFolder
    from exiface.encoders.folder import holds_encoder

    folder = detector_folder(detector)
    if holds_encoder(folder) and not (folder / DETECTOR_FILE).exists():
        files = EncoderFolder.read(folder)
        if card:
            raise UserError(f"{folder} holds an encoder, and only detectors have a model card")
        if json_object:
            print(json.dumps(files.description.as_dict(), indent=2))
        else:
            print_encoder(files, folder)
        return
    parts = read_folder(folder)
    if json_object:
        print((folder / DETECTOR_FILE).read_text("utf-8"), end="")
    elif card:
        print(parts.card, end="")
    else:
        print_detector(parts, folder)


def print_detector(parts: "DetectorParts", folder: Path) -> None:
    """Print what a detector is, in a few lines."""
    encoder, calibration = parts.encoder, parts.calibration
    low, high = parts.true_rate
    units = "sources" if calibration.by_source else "photographs"
    limits = (f"{name} >= {limit:.3g}" for name, limit in parts.quality.as_dict().items())
    weights = encoder.provenance.get("loss_weights", {})
    rows = {
        "detector": f"{parts.name}@{parts.digest[:12]}",
        "folder": _size(folder),
        "encoder": _encoder(encoder),
        "scored by": parts.scorer.words,
        "trained on": _counts(encoder.provenance.get("training", {})),
        "fitted on": _counts(parts.provenance.get("fit", {})),
        "calibrated on": _counts(parts.provenance.get("calibration", {})),
        "knows": _known(encoder),
        "verdict": parts.judge.promise(),
        "promise": f"{calibration.promised} of photographs flagged, on average; with "
        f"these {units}, {low:.1%} to {high:.1%} (95 % interval)"
        + (f"; {calibration.caution}" if calibration.caution else ""),
        "quality": ", ".join(limits) or "no limits measured",
        "loss weights": ", ".join(f"{name} {each:.3g}" for name, each in weights.items()),
        "notice": parts.notice,
    }
    print_rows(rows)


def print_encoder(encoder: "EncoderFolder", folder: Path) -> None:
    """Print what an encoder is, in a few lines."""
    provenance = encoder.description.provenance
    rows = {
        "encoder": _encoder(encoder.description),
        "folder": _size(folder),
        "looks at": {"face": "faces", "image": "whole images"}[encoder.description.subject],
        "trained on": _counts(provenance.get("training", {})),
        "imported": provenance.get("imported", {}).get("title", ""),
        "heads": ", ".join(encoder.heads),
        "classifier": "tells generated faces from photographs" if encoder.classifier else "",
        "shaped by": f"{len(encoder.seen)} photographs, none of which may calibrate a detector"
        if encoder.seen
        else "",
        "next": f"exiface fit --encoder {folder} --photos MANIFEST -o DETECTOR",
    }
    print_rows(rows)


def _encoder(described: "EncoderDescription") -> str:
    return f"{described.architecture}: {described.takes.sides} -> {described.features} features"


def _known(encoder: "EncoderDescription") -> str:
    """The families of generators that taught it, where some did."""
    sources = encoder.provenance.get("supervised", {}).get("sources", ())
    families = sorted({source.split("/")[0] for source in sources} - {"unknown"})
    return f"{len(families)} kinds of generators: {', '.join(families)}" if families else ""


def _counts(of_set: dict[str, Any]) -> str:
    """What a set holds; where generated ones are among its rows, they are counted apart."""
    keys: tuple[str, ...] = ("photographs", "faces", "images", "groups", "cameras")
    found = []
    if generated := of_set.get("generated", 0):
        what = "faces" if "faces" in of_set else "images"
        found = [f"{of_set[what] - generated} {what} of photographs", f"{generated} generated"]
        keys = ("cameras",)
    return ", ".join([*found, *(f"{of_set[key]} {key}" for key in keys if key in of_set)])


def _size(folder: Path) -> str:
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return f"{folder} ({size / 1e6:.1f} MB)"
