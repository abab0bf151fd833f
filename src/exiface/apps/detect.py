"""`exiface detect`: from images to verdicts."""

import glob
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from exiface.apps.options import DetectorOption, SubjectOption

if TYPE_CHECKING:
    from exiface.detector import Detector, ImageResult

_CSV_COLUMNS = [
    "path",
    "face",
    "x0",
    "y0",
    "x1",
    "y1",
    "verdict",
    "p_value",
    "score",
    "log_likelihood",
    "likelihood_ratio",
    "likelihood_ratio_low",
    "likelihood_ratio_high",
    "likelihood_ratio_words",
    "side",
    "aperture",
    "exposure_time",
    "focal_length",
    "iso_speed",
    "unsure_because",
    "image_verdict",
    "image_p_value",
    "declares",
    "declares_generated",
    "declared",
    "reason",
    "detector",
]


FailOn = Literal["unreadable", "no-face", "flagged", "never"]
_SHARED = ("path", "reason", "detector", "declares", "declares_generated")


def detect(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Files, folders (searched at any depth), globs; `-` reads a picture, or paths, "
            "one a line, from standard input.",
        ),
    ],
    detector: DetectorOption = None,
    subject: SubjectOption = None,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Print JSON lines, one an image, instead of a table.")
    ] = False,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Also write a CSV file, one row a face.")
    ] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", help="Also write a self-contained HTML page.")
    ] = None,
    pictures: Annotated[
        bool,
        typer.Option(
            "--pictures/--no-pictures",
            help="The page shows the images; without them it holds their SHA-256.",
        ),
    ] = True,
    cropped: Annotated[
        bool, typer.Option("--cropped", help="Each image is a face already cut out.")
    ] = False,
    batch_size: Annotated[int, typer.Option(min=1, help="Faces judged at a time.")] = 32,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads; without it, one a core.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print what stands behind each verdict.")
    ] = False,
    fail_on: Annotated[
        FailOn,
        typer.Option(
            help="What makes the exit status 1: a file that can't be read; that, or a picture "
            "without a face; those, or a picture called AI-generated; or nothing."
        ),
    ] = "no-face",
) -> None:
    """Judge faces, or whole images: photographic, AI-generated, or unsure; say what files declare.

    Exit status: 0 = done, 1 = there was what --fail-on names, without it a picture that has no
    verdict, 2 = wrong usage.
    """
    from exiface.detector import Detector

    sources = _sources(images)
    judge = Detector.load(detector, subject=subject, threads=threads)
    results = judge.detect(sources, batch_size=batch_size, cropped=cropped)
    failed = _write(results, judge, json_lines, csv_file, html_file, pictures, verbose, fail_on)
    raise typer.Exit(1 if failed else 0)


def _fails(result: "ImageResult", fail_on: FailOn) -> bool:
    from exiface.calibration import Verdict

    unreadable = result.reason is not None and not result.size[0]
    return {
        "never": False,
        "unreadable": unreadable,
        "no-face": result.reason is not None,
        "flagged": result.reason is not None or result.verdict is Verdict.AI_GENERATED,
    }[fail_on]


def _write(
    results: "Iterable[ImageResult]",
    detector: "Detector",
    json_lines: bool,
    csv_file: Path | None,
    html_file: Path | None,
    pictures: bool,
    verbose: bool,
    fail_on: FailOn,
) -> bool:
    """Write results in every form asked for; returns whether there was what makes it fail."""
    import contextlib
    import csv
    import json

    from exiface.apps.console import progress_bar

    # A table needs all rows for its widths, a page all verdicts for its summary; lines don't.
    keep = not json_lines or html_file is not None
    kept: list[ImageResult] = []
    failed = False
    with contextlib.ExitStack() as stack:
        writer = None
        if csv_file is not None:
            csv_file.parent.mkdir(parents=True, exist_ok=True)
            stream = stack.enter_context(
                csv_file.open("w", newline="", encoding="utf-8", errors="surrogateescape")
            )
            writer = csv.DictWriter(stream, _CSV_COLUMNS)
            writer.writeheader()
        progress = stack.enter_context(progress_bar("Judging", shown=not json_lines))
        for number, result in enumerate(results, start=1):
            progress(number, None)
            failed |= _fails(result, fail_on)
            if json_lines:
                print(json.dumps(result.as_dict()), flush=True)
            if writer is not None:
                writer.writerows(_csv_rows(result))
            if keep:
                kept.append(result)
    if html_file is not None:
        from exiface.apps.page import write_page

        write_page(kept, detector, html_file, pictures=pictures)
    if not json_lines:
        from exiface.apps.verdict_table import print_verdicts

        print_verdicts(kept, detector, verbose=verbose)
        if html_file is not None:
            typer.echo(f"page: {html_file}")
    return failed


def _sources(arguments: list[str]) -> Iterable[str | bytes]:
    """Paths of images; what doesn't exist is passed on, to become a row with a reason.

    Folders and globs are looked at before the first image is judged, so that a mistake among them
    costs nothing; paths from standard input are drawn as they come.
    """
    from itertools import chain

    from exiface.apps.standard_input import read_input
    from exiface.datasets import find_images
    from exiface.errors import UserError

    groups: list[Iterable[str | bytes]] = []
    for argument in arguments:
        if argument == "-":
            found = read_input(sys.stdin.buffer)
            groups.append([found] if isinstance(found, bytes) else found)
        elif argument.startswith(("http://", "https://")):
            raise UserError(
                f"{argument}: pictures are not fetched, so that nobody learns what you look into; "
                "save the picture and name its file"
            )
        elif Path(argument).is_dir():
            files = find_images([Path(argument)])
            if not files:
                raise UserError(f"{argument} holds no image; name a folder that does, or a file")
            groups.append(map(str, files))
        elif not Path(argument).exists() and glob.has_magic(argument):
            matches = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 - may be absolute
            if not matches:
                raise UserError(f"no file matches {argument}")
            groups.append(matches)
        else:
            groups.append([argument])
    return chain.from_iterable(groups)


def _csv_rows(result: "ImageResult") -> Iterator[dict[str, object]]:
    import json

    image = result.as_dict()
    shared: dict[str, object] = {
        **{name: image.get(name) for name in _SHARED},
        "image_verdict": image.get("verdict"),
        "image_p_value": image.get("p_value"),
        "declared": json.dumps(image["declared"]),
        **image["tags"],
    }
    if not result.judged:
        yield shared
    for number, values in enumerate(image["faces"]):
        x0, y0, x1, y1 = values.pop("box")
        box = {"x0": x0, "y0": y0, "x1": x1, "y1": y1}
        yield {**shared, "face": number, **box, **_flat(values)}
    if "image" in image:
        yield {**shared, "face": "image", **_flat(image["image"])}


def _flat(judged: dict[str, Any]) -> dict[str, Any]:
    """A judgement in columns, its likelihood ratio in several; without its sentences."""
    judged = {name: each for name, each in judged.items() if name not in ("says", "sentence")}
    ratio = judged.pop("likelihood_ratio", None) or {}
    named = {f"likelihood_ratio_{name}": each for name, each in ratio.items() if name != "value"}
    return judged | {"likelihood_ratio": ratio.get("value")} | named
