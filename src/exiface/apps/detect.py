"""`exiface detect`: from images to verdicts."""

import glob
import io
import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from exiface.apps.options import (
    CroppedOption,
    DetectorOption,
    SubjectOption,
    ThreadsOption,
    refuse_address,
    refuse_other_page,
)
from exiface.errors import UserError

if TYPE_CHECKING:
    from exiface.detector import ImageResult

_BOX = ("x0", "y0", "x1", "y1")
_OF_RATIO = ("low", "high", "words")
_CSV_COLUMNS = (
    *("path", "face", *_BOX, "verdict", "p_value", "score", "log_likelihood", "likelihood_ratio"),
    *(f"likelihood_ratio_{name}" for name in _OF_RATIO),
    *("side", "aperture", "exposure_time", "focal_length", "iso_speed", "unsure_because"),
    *("image_verdict", "image_p_value", "declares", "declares_generated", "declared"),
    *("reason", "detector"),
)
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
        Path | None,
        typer.Option(
            "--csv",
            help="Also write a CSV file, one row a face; with `-`, to standard output in place of "
            "the table.",
        ),
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
    cropped: CroppedOption = False,
    batch_size: Annotated[int, typer.Option(min=1, help="Faces judged at a time.")] = 32,
    threads: ThreadsOption = None,
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

    if verbose:
        show_information()
    to_output = csv_file == Path("-")
    if to_output and json_lines:
        raise UserError("--json and --csv - both write to standard output: name a file for --csv")
    if report is not None:
        _refuse_report(report)
    if report is None and (title or reference or examiner or explained):
        raise UserError(
            "--title, --reference, --examiner and --explain are for a case file: name it with "
            "--report NAME.html"
        )
    groups = _sources(images)
    judge = Detector.load(detector, subject=subject, threads=threads)
    sources = itertools.chain.from_iterable(groups)
    kept: list[ImageResult] = []
    failed = False
    results = judge.detect(sources, batch_size=batch_size, cropped=cropped)
    quiet = json_lines or to_output  # standard output is for programs
    for result in _written(results, json_lines, csv_file):
        failed |= _fails(result, fail_on)
        # A table needs all rows for its widths, a case file all verdicts for its index.
        if report is not None or not quiet:
            kept.append(result)
    if not quiet:
        from exiface.apps.verdict_table import print_verdicts

        print_verdicts(kept, judge, verbose=verbose)
    if report is not None:
        from exiface.apps.case import Case, Heading, write_case

        case = Case(kept, judge, detector, Heading(title, reference, examiner), subject, cropped)
        # What has no path is the one picture on standard input.
        [piped] = [each for group in groups for each in group if isinstance(each, bytes)] or [b""]
        files = (result.path or piped for result in kept)
        written = write_case(case, files, report, pictures=pictures, explained=explained)
        if not quiet:
            typer.echo(f"case file: {' and '.join(map(str, written))}")
    raise typer.Exit(1 if failed else 0)


def _refuse_report(report: Path) -> None:
    """Raise a sentence where no page is named, or what lies beside it would be lost."""
    from exiface.apps.case import read_json

    if report.suffix != ".json":
        refuse_other_page("--report", report, ", or NAME.json for that alone")
    beside = report.with_suffix(".json")
    if beside.exists() and read_json(beside) is None:
        raise UserError(
            f"{beside} would be replaced and is no case file: give --report another name"
        )


def _fails(result: "ImageResult", fail_on: FailOn) -> bool:
    return {
        "never": False,
        "unreadable": result.reason is not None and not result.size[0],
        "no-face": result.reason is not None,
        "flagged": result.reason is not None or result.verdict == "ai-generated",
    }[fail_on]


def _written(
    results: "Iterable[ImageResult]", json_lines: bool, csv_file: Path | None
) -> "Iterator[ImageResult]":
    """Hand results on, and write each as a JSON line and as rows of a CSV file, where wanted."""
    import contextlib
    import csv
    import json

    from exiface.apps.console import progress_bar

    with contextlib.ExitStack() as stack:
        writer = None
        if csv_file == Path("-"):
            if isinstance(sys.stdout, io.TextIOWrapper):  # as a file has it, below
                sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape", newline="")
            writer = csv.DictWriter(sys.stdout, _CSV_COLUMNS)
        elif csv_file is not None:
            csv_file.parent.mkdir(parents=True, exist_ok=True)
            stream = stack.enter_context(
                csv_file.open("w", newline="", encoding="utf-8", errors="surrogateescape")
            )
            writer = csv.DictWriter(stream, _CSV_COLUMNS)
        if writer is not None:
            writer.writeheader()
        progress = stack.enter_context(progress_bar("Judging", shown=not json_lines))
        for number, result in enumerate(results, start=1):
            progress(number, None)
            if json_lines:
                print(json.dumps(result.as_dict()), flush=True)
            if writer is not None:
                writer.writerows(_csv_rows(result))
            yield result


def _sources(arguments: list[str]) -> list[Iterable[str | bytes]]:
    """Paths of images by argument; what doesn't exist is passed on, to become a row with a reason.

    Folders and globs are looked at before the first image is judged, so that a mistake among them
    costs nothing; paths from standard input are drawn as they come.
    """
    from exiface.apps.standard_input import read_input
    from exiface.datasets import find_images

    groups: list[Iterable[str | bytes]] = []
    for argument in arguments:
        if argument == "-":
            found = read_input(sys.stdin.buffer)
            groups.append([found] if isinstance(found, bytes) else found)
            continue
        refuse_address(argument)
        if Path(argument).is_dir():
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
    return groups


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
        box = dict(zip(_BOX, values.pop("box"), strict=True))
        yield {**shared, "face": number, **box, **_flat(values)}
    if "image" in image:
        yield {**shared, "face": "image", **_flat(image["image"])}


def _flat(judged: dict[str, Any]) -> dict[str, Any]:
    """A judgement in columns, its likelihood ratio in several; without its sentences."""
    judged = {name: each for name, each in judged.items() if name not in ("says", "sentence")}
    ratio = judged.pop("likelihood_ratio", None) or {}
    named = {f"likelihood_ratio_{name}": ratio.get(name) for name in _OF_RATIO}
    return judged | {"likelihood_ratio": ratio.get("value")} | named
