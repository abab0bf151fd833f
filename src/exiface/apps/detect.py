"""`exiface detect`: from images to verdicts."""

import glob
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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


_SHARED = ("path", "reason", "detector", "declares", "declares_generated")


def detect(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Files, folders (searched at any depth), globs; `-` reads paths from standard "
            "input, one a line.",
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
) -> None:
    """Judge faces, or whole images: photographic, AI-generated, or unsure; say what files declare.

    Exit status: 0 = every image has a verdict, 1 = some have none (their rows say why), 2 = wrong
    usage.
    """
    from exiface.detector import Detector

    sources = _sources(images)
    judge = Detector.load(detector, subject=subject, threads=threads)
    results = judge.detect(sources, batch_size=batch_size, cropped=cropped)
    without_verdict = _write(results, judge, json_lines, csv_file, html_file, pictures)
    raise typer.Exit(1 if without_verdict else 0)


def _write(
    results: "Iterable[ImageResult]",
    detector: "Detector",
    json_lines: bool,
    csv_file: Path | None,
    html_file: Path | None,
    pictures: bool,
) -> int:
    """Write results in every form asked for; returns how many images have no verdict."""
    import contextlib
    import csv
    import json

    from exiface.apps.console import progress_bar

    # A table needs all rows for its widths, a page all verdicts for its summary; lines don't.
    keep = not json_lines or html_file is not None
    kept: list[ImageResult] = []
    without_verdict = 0
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
            without_verdict += result.reason is not None
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
        _print_table(kept, detector)
        if html_file is not None:
            typer.echo(f"page: {html_file}")
    return without_verdict


def _sources(arguments: list[str]) -> Iterable[str]:
    """Paths of images; what doesn't exist is passed on, to become a row with a reason.

    Folders and globs are looked at before the first image is judged, so that a mistake among them
    costs nothing; paths from standard input are drawn as they come.
    """
    from itertools import chain

    from exiface.datasets import find_images
    from exiface.errors import UserError

    groups: list[Iterable[str]] = []
    for argument in arguments:
        if argument == "-":
            groups.append(line.rstrip("\r\n") for line in sys.stdin if line.strip())
        elif Path(argument).is_dir():
            found = find_images([Path(argument)])
            if not found:
                raise UserError(f"{argument} holds no image; name a folder that does, or a file")
            groups.append(map(str, found))
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
    """A judgement with its likelihood ratio in columns of its own."""
    ratio = judged.pop("likelihood_ratio", None) or {}
    named = {f"likelihood_ratio_{name}": each for name, each in ratio.items() if name != "value"}
    return judged | {"likelihood_ratio": ratio.get("value")} | named


def _said(result: "ImageResult") -> list[str]:
    """What the file says of itself, a line each."""
    from rich.markup import escape

    lines = [result.declared.line, *result.declared.unread] if result.size[0] else []
    if tags := str(result.tags):
        lines.append(f"Camera settings: {tags}")
    marked = [f"[yellow]{escape(each)}[/]" for each in result.declared.contradictions]
    return [*map(escape, lines), *marked]


def _print_table(results: "list[ImageResult]", detector: "Detector") -> None:
    from collections import Counter

    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from exiface.apps.console import VERDICT_STYLES

    console = Console()
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("image", overflow="fold")
    table.add_column("verdict", no_wrap=True)
    table.add_column("p", justify="right", no_wrap=True)
    table.add_column("the file says", overflow="fold")
    counts: Counter[str] = Counter()
    for result in results:
        # File names need not be text; what isn't is shown as a question mark.
        name = escape((result.path or "").encode("utf-8", "replace").decode())
        if result.reason is not None:
            counts["no verdict"] += 1
            lines = [f"[dim]{escape(result.reason)}[/]", *_said(result)]
            table.add_row(name, "[dim]no verdict[/]", "", "\n".join(lines))
        if len(result.judged) > 1:
            assert result.verdict is not None  # noqa: S101 - there are some
            style = VERDICT_STYLES[result.verdict.value]
            said = "\n".join([escape(result.summary), *_said(result)])
            cells = [f"[{style}]{result.verdict.value}[/]", f"{result.p_value:.3f}"]
            table.add_row(name, *cells, said)
        for number, each in enumerate(result.judged):
            counts[each.verdict.value] += 1
            style = VERDICT_STYLES[each.verdict.value]
            alone = len(result.judged) == 1
            cells = [f"[{style}]{each.verdict.value}[/]", f"{each.p_value:.3f}"]
            because = [escape(each.unsure_because)] if each.unsure_because else []
            if alone and each is result.image:
                because = ["Judged as a whole.", *because]
            said = "\n".join(because + (_said(result) if alone else []))
            of_all = "  as a whole" if each is result.image else f"  face {number + 1}"
            table.add_row(name if alone else of_all, *cells, said)
    console.print(table)
    summary = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    calibration = detector.parts.calibration
    console.print(
        f"\n[bold]{summary}[/]\n[dim]p: share of {len(calibration.scores)} known photographs that "
        f"look as unusual; of several faces, corrected for their number. "
        f"At most {calibration.alpha:.0%} of photographs like those "
        f"are called AI-generated; a low p is a hint, not a proof. What a file says never enters "
        f"the verdict. Detector: {detector.id}[/]"
    )
    for notice in detector.notices(results):
        console.print(f"[yellow]{escape(notice)}[/]")
