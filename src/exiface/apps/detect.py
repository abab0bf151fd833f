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
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            "--html",
            help="Also write a case file: NAME.html, one page without outside resources, with "
            "NAME.json beside it; or NAME.json alone.",
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="Title of the case file.")] = "",
    reference: Annotated[str, typer.Option(help="Its reference number.")] = "",
    examiner: Annotated[str, typer.Option(help="Who made it.")] = "",
    explained: Annotated[
        bool,
        typer.Option(
            "--explain", help="The case file says why each verdict is what it is: seconds a face."
        ),
    ] = False,
    pictures: Annotated[
        bool,
        typer.Option(
            "--pictures/--no-pictures",
            help="The case file shows the images; without them it holds their SHA-256.",
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
    from exiface.apps.console import show_information
    from exiface.detector import Detector
    from exiface.errors import UserError

    if verbose:
        show_information()
    if report is not None and report.suffix not in (".html", ".json"):
        raise UserError(f"--report {report}: name it NAME.html, or NAME.json for that alone")
    if report is None and (title or reference or examiner or explained):
        raise UserError(
            "--title, --reference, --examiner and --explain are for a case file: name it with "
            "--report NAME.html"
        )
    piped: list[bytes] = []
    sources = _noted(_sources(images), piped)
    judge = Detector.load(detector, subject=subject, threads=threads)
    results = judge.detect(sources, batch_size=batch_size, cropped=cropped)
    keep = report is not None
    kept, failed = _write(results, judge, json_lines, csv_file, verbose, fail_on, keep)
    if report is not None:
        from exiface.apps.case import Case, Heading
        from exiface.apps.case_page import write_case

        case = Case(kept, judge, detector, Heading(title, reference, examiner), subject, cropped)
        files = (result.path or piped[0] for result in kept)
        written = write_case(case, files, report, pictures=pictures, explained=explained)
        if not json_lines:
            typer.echo(f"case file: {' and '.join(map(str, written))}")
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
    verbose: bool,
    fail_on: FailOn,
    keep: bool,
) -> "tuple[list[ImageResult], bool]":
    """Write results; returns them, if they are to be kept, and whether there was what fails."""
    import contextlib
    import csv
    import json

    from exiface.apps.console import progress_bar

    # A table needs all rows for its widths, a case file all verdicts for its index; lines don't.
    keep = keep or not json_lines
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
    if not json_lines:
        from exiface.apps.verdict_table import print_verdicts

        print_verdicts(kept, detector, verbose=verbose)
    return kept, failed


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


def _noted(sources: Iterable[str | bytes], piped: list[bytes]) -> Iterator[str | bytes]:
    """Sources as they are; the bytes of the one picture that lies nowhere are kept in `piped`."""
    for source in sources:
        if isinstance(source, bytes):
            piped.append(source)
        yield source


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
