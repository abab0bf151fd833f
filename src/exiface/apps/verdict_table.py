"""Verdicts as the terminal shows them: one line a picture, details below where asked for."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from exiface.apps.console import VERDICT_STYLES
from exiface.calibration import Verdict
from exiface.detector import Detector, ImageResult, Judgement

_WIDEST, _NARROWEST, _LEAST, _GAP = 34, 16, 12, 2  # characters
_NAMES = {
    "ai-generated": "AI-generated",
    "nothing-found": "with nothing unusual found",
}


def print_verdicts(
    results: Sequence[ImageResult], detector: Detector, *, verbose: bool = False
) -> None:
    """Print one line a picture; for a single one, or if asked, what stands behind it as well."""
    console = Console()
    _print_table(results, console)
    if verbose or len(results) == 1:
        for result in results:
            console.print()
            for line in _details(result, alone=len(results) == 1):
                console.print(line)
        judged = [result for result in results if result.verdict is not None]
        for notice in detector.notices(judged) if judged else ():
            console.print(f"\n[yellow]{escape(notice)}[/]")
    counts = Counter(
        "without a verdict" if each.verdict is None else each.verdict.value for each in results
    )
    said = ", ".join(f"{count} {_NAMES.get(name, name)}" for name, count in counts.most_common())
    plural = "picture" if len(results) == 1 else "pictures"
    console.print(f"\n[bold]{len(results)} {plural}: {said}.[/]", soft_wrap=True)
    promised = detector.parts.calibration.promised.capitalize()
    console.print(
        f"[dim]{promised} of photographs are called "
        f"AI-generated; a flag is a hint, not a proof. {detector.id}[/]",
        soft_wrap=True,
    )


def _print_table(results: Sequence[ImageResult], console: Console) -> None:
    rows = [(result, line) for result in results for line in _lines(result)]
    columns = ["picture", "verdict", "how sure"]
    if any(result.declares_generated for result in results):
        columns.append("the file")
    longest, *widths = (
        max(len(each) for each in (name, *(line[place] for _, line in rows)))
        for place, name in enumerate(columns)
    )
    if not console.is_terminal and "COLUMNS" not in os.environ:  # a file has room for all
        console = Console(width=longest + sum(widths) + _GAP * len(widths))
    else:
        widths[0] = min(_WIDEST, widths[0])
    # The reason comes before the beginning of a path.
    room = console.width - _GAP * len(widths) - sum(widths[2:])
    widths[0] = min(widths[0], max(_LEAST, room - 2 * _NARROWEST))
    room -= widths[0]
    widths[1] = min(widths[1], max(_NARROWEST, room - min(_NARROWEST, longest)))
    left = max(1, room - widths[1])
    shortened = Counter(_shortened(name, left) for name in {line[0] for _, line in rows})
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("picture", overflow="fold", max_width=left)
    for name, width in zip(columns[1:], widths, strict=True):
        table.add_column(name, overflow="fold", width=width)
    for result, line in rows:
        name = _shortened(line[0], left)
        if shortened[name] > 1:  # a reader must be able to tell them apart
            name = line[0]
        style, sure = "dim", Text(line[2], no_wrap=True, overflow="ellipsis")  # a reason
        if result.verdict is not None:
            style, sure = VERDICT_STYLES[result.verdict.value], Text(line[2])
        styled = (Text(line[1], style), sure, Text(line[3], "yellow"))
        table.add_row(escape(name), *styled[: len(widths)])
    console.print(table)


def _lines(result: ImageResult) -> Iterator[tuple[str, str, str, str]]:
    """What the table says of a picture; where faces and the whole are judged, in two lines."""
    name, declares = _name(result), "says generated" if result.declares_generated else ""
    if result.verdict is None:
        yield name, "no verdict", result.reason or "", declares
        return
    parts = [result]
    if result.faces and result.image:
        parts = [replace(result, image=None), replace(result, faces=())]
    for part in parts:
        said = part.summary.replace("the image as a whole:", "whole:")
        said = said.removesuffix("; generated ones may pass")
        if part.verdict is Verdict.AI_GENERATED and result.verdict is not Verdict.AI_GENERATED:
            said += f" (chance of {len(result.counting)} verdicts can do that)"
        yield name, said, part.how_sure or "", declares
        name = declares = ""


def _name(result: ImageResult) -> str:
    # File names need not be text; what isn't is shown as a question mark.
    return (result.path or "standard input").encode("utf-8", "replace").decode()


def _shortened(name: str, width: int) -> str:
    """A path of at most so many characters: its end says more than its beginning."""
    return name if len(name) <= width else f"…{name[1 - width :]}"


def _details(result: ImageResult, *, alone: bool) -> Iterator[str]:
    if not alone:
        yield f"[bold]{escape(_name(result))}[/]"
    for number, face in enumerate(result.faces, start=1):
        yield f"{f'Face {number}: ' if len(result.faces) > 1 else ''}{_said(face)}"
    if result.image is not None:
        yield f"As a whole: {_said(result.image)}"
    if result.reason is not None and not result.size[0]:
        yield f"{escape(result.reason[0].upper() + result.reason[1:])}."
    if not result.judged and result.size[0]:
        yield "Whole pictures are judged only where that is asked for: --subject image, or auto."
    if result.size[0]:
        yield escape(result.declared.line)
        yield from map(escape, result.declared.unread)
    if tags := str(result.tags):
        yield f"Camera settings: {escape(tags)}"
    for sentence in result.declared.contradictions:
        yield f"[yellow]{escape(sentence)}[/]"


def _said(judged: Judgement) -> str:
    style = VERDICT_STYLES[judged.verdict.value]
    because = f" ({judged.unsure_because})" if judged.unsure_because else ""
    sentence = escape(judged.sentence + because)
    return f"[{style}]{judged.verdict.value}[/], p = {judged.p_value:.3g}. {sentence}"
