"""Verdicts as the terminal shows them: one line a picture, details below where asked for."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from exiface.apps.console import VERDICT_STYLES
from exiface.detector import Detector, ImageResult, Judgement

_WIDEST, _NARROWEST, _GAP = 34, 16, 2  # characters
_NAMES = {
    "ai-generated": "AI-generated",
    "nothing-found": "with nothing unusual found",
}


def print_verdicts(
    results: Sequence[ImageResult], detector: Detector, *, verbose: bool = False
) -> None:
    """Print one line a picture; for a single one, or if asked, what stands behind it as well."""
    console = Console()
    rows = [_row(result) for result in results]
    columns = ["verdict", "how sure"]
    if any(result.declares_generated for result in results):
        columns.append("the file")
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("picture", no_wrap=True)
    needed = [
        max(len(each) for each in (name, *(row[place] for row in rows)))
        for place, name in enumerate(columns)
    ]
    widths = [min(_WIDEST, width) for width in needed]
    left = console.width - sum(widths) - _GAP * len(widths)
    # The reason comes before the beginning of a path.
    more = max(0, min(needed[1] - widths[1], left - _NARROWEST))
    widths[1], left = widths[1] + more, left - more
    for name, width in zip(columns, widths, strict=True):
        table.add_column(name, no_wrap=True, overflow="ellipsis", width=width)
    for result, row in zip(results, rows, strict=True):
        style = "dim" if result.verdict is None else VERDICT_STYLES[result.verdict.value]
        styled = (f"[{style}]{escape(row[0])}[/]", escape(row[1]), f"[yellow]{row[2]}[/]")
        table.add_row(_shortened(_name(result), max(_NARROWEST, left)), *styled[: len(columns)])
    console.print(table)
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
    console.print(
        f"[dim]At most {detector.parts.calibration.alpha:.0%} of photographs are called "
        f"AI-generated; a flag is a hint, not a proof. {detector.id}[/]",
        soft_wrap=True,
    )


def _row(result: ImageResult) -> tuple[str, str, str]:
    said = "no verdict" if result.verdict is None else result.summary
    return (
        said,
        result.reason or result.how_sure or "",
        "says generated" if result.declares_generated else "",
    )


def _name(result: ImageResult) -> str:
    # File names need not be text; what isn't is shown as a question mark.
    return (result.path or "standard input").encode("utf-8", "replace").decode()


def _shortened(name: str, width: int) -> str:
    """A path of at most so many characters: its end says more than its beginning."""
    return escape(name if len(name) <= width else f"…{name[1 - width :]}")


def _details(result: ImageResult, *, alone: bool) -> Iterator[str]:
    if not alone:
        yield f"[bold]{escape(_name(result))}[/]"
    for number, face in enumerate(result.faces, start=1):
        yield f"{f'Face {number}: ' if len(result.faces) > 1 else ''}{_said(face)}"
    if result.image is not None:
        yield f"As a whole: {_said(result.image)}"
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
