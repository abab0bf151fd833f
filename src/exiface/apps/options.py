"""Options that several commands have."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exiface.choices import Scope, Subject
from exiface.errors import UserError

if TYPE_CHECKING:
    from exiface.calibration import GeneratedFaces
    from exiface.datasets import Manifest

ENCODER = (
    "Encoder folder (a run of `train`, or what `import`, `supervise` or `export` wrote), or "
    "`default`, `photographs-only` or `whole-image`: the encoder of that detector."
)
DetectorOption = Annotated[
    str | None,
    typer.Option(
        help="`default`, `photographs-only` (which has seen no generated face), `whole-image` "
        "(which judges images as wholes), or a detector folder; without it, `default`."
    ),
]
SubjectOption = Annotated[
    Scope | None,
    typer.Option(
        help="What is judged: faces, the image as a whole, both, or (auto) faces and as wholes "
        "those images that hold none. Without it what the detector looks at: at first, faces."
    ),
]
GeneratedOption = Annotated[
    list[Path] | None,
    typer.Option(
        help="Generated faces of generators that training never saw, from which the verdict "
        '"photographic" is earned: a folder (a family each) or a manifest; repeatable. Or a CSV '
        "with the columns family and p_value, measured by detectors made in the same way without "
        "the family; known, 1 of further pictures of a family that training knew; and size, of "
        "which --least-size leaves out the smaller ones."
    ),
]
LeastSizeOption = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="Pixels of a face, or of an image's shorter side, below which the verdict is unsure; "
        "without it, as the photographs say, or as before.",
    ),
]
CroppedOption = Annotated[
    bool, typer.Option("--cropped", help="Each image is a face already cut out.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
NameOption = Annotated[
    str | None, typer.Option(help="Of the detector; without it, the folder's name.")
]
ThreadsOption = Annotated[int | None, typer.Option(min=1, help="Threads; without it, one a core.")]
_COLUMNS = ("family", "p_value")


def refuse_address(source: str) -> None:
    """Raise a sentence where an address stands in place of a file."""
    if source.startswith(("http://", "https://")):
        raise UserError(
            f"{source}: pictures are not fetched, so that nobody learns what you look into; "
            "save the picture and name its file"
        )


def refuse_other_page(option: str, path: Path, otherwise: str = "") -> None:
    """Raise a sentence where a page would be written into a file of another kind."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise UserError(f"{option} {path} is to be a page: name it NAME.html{otherwise}")


def scanned(folder: Path, doing: str, **options: Any) -> "Manifest":
    """Scan a folder as `exiface.datasets.scan` does, with a bar that says what is being done."""
    from exiface.apps.console import progress_bar
    from exiface.datasets import scan

    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; name one that holds pictures")
    with progress_bar(doing) as progress:
        found, summary = scan(folder, progress=progress, **options)
    for exclusion in summary.exclusions():
        typer.echo(f"{folder}: {exclusion}", err=True)
    return found


def read_or_scanned(path: Path, doing: str, **options: Any) -> "Manifest":
    """Read a manifest, or make one of a folder as `scanned` does."""
    from exiface.datasets import Manifest
    from exiface.photos import IMAGE_SUFFIXES

    if path.is_dir():
        return scanned(path, doing, **options)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        raise UserError(f"{path} is named as a picture is: name its folder, or a manifest")
    if path.suffix != ".parquet" and not path.exists():
        raise UserError(f"{path}: no such folder; name one that holds pictures, or a manifest")
    return Manifest.read(path)


def generated_faces(
    paths: Sequence[Path], subject: Subject = "face", least_size: float | None = None
) -> "Manifest | GeneratedFaces | None":
    """Read what `--generated` names: pictures to be judged, or their scores; None without it.

    Scores of pictures below the least size, in pixels, are left out.
    """
    from dataclasses import replace

    import numpy as np

    from exiface.datasets import Manifest

    if any(path.suffix == ".csv" for path in paths):
        if len(paths) > 1:
            raise UserError("--generated takes one CSV of p-values, or faces, not both")
        return _scored(paths[0], least_size or 0)
    manifests = []
    for path in paths:
        fractions = {"fit": 1.0}
        found = read_or_scanned(
            path, "Reading generated images", fractions=fractions, subject=subject
        )
        if path.is_dir():
            names = np.full(len(found), path.resolve().name)
            found = replace(found, source=names, generated=np.full(len(found), True))
        manifests.append(found.select(found.generated))
    if not manifests:
        return None
    joined = Manifest.joined(manifests)
    if not len(joined):
        raise UserError(f"no generated {subject} in {', '.join(map(str, paths))}")
    return joined


def _scored(path: Path, least_size: float) -> "GeneratedFaces":
    from exiface.calibration import CalibrationError, GeneratedFaces

    def gathered(rows: list[dict[str, str]], known: GeneratedFaces | None) -> GeneratedFaces:
        p_values = [float(row["p_value"]) for row in rows]
        return GeneratedFaces.of(p_values, [row["family"] for row in rows], known)

    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
        rows = [row for row in rows if float(row.get("size") or "inf") >= least_size]
        known = [row for row in rows if row.get("known") == "1"]
        never = [row for row in rows if row.get("known") != "1"]
        return gathered(never, gathered(known, None) if known else None)
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from None
    except (KeyError, TypeError, ValueError, CalibrationError) as error:
        raise UserError(
            f"{path} must have the columns {', '.join(_COLUMNS)} with numbers in the last: {error}"
        ) from None
