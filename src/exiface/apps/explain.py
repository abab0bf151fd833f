"""`exiface explain`: why a face, or a whole image, got its verdict."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from exiface.apps.options import (
    DetectorOption,
    SubjectOption,
    refuse_address,
    refuse_other_page,
)
from exiface.errors import UserError

if TYPE_CHECKING:
    from exiface.detector.explanation import Explanation


def explain(
    image: Annotated[str, typer.Argument(help="The image.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="HTML page to write.")
    ] = None,
    detector: DetectorOption = None,
    subject: SubjectOption = None,
    face: Annotated[int, typer.Option(min=1, help="Which face, the largest being 1.")] = 1,
    json_lines: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    cropped: Annotated[
        bool, typer.Option("--cropped", help="The image is a face already cut out.")
    ] = False,
) -> None:
    """Say why a face, or an image as a whole, got its verdict: regions, stability, camera tags."""
    import json

    from exiface.detector import Detector
    from exiface.detector.explanation import explain as explained

    refuse_address(image)
    if output is not None:
        refuse_other_page("--output", output)
    if subject == "both":
        raise UserError("one thing is explained at a time: choose --subject faces or image")
    judge = Detector.load(detector, subject=subject)
    explanation = explained(judge, image, face=face - 1, cropped=cropped)
    if output is not None:
        from exiface.apps.explanation_page import write_explanation

        write_explanation(explanation, judge, output)
    if json_lines:
        print(json.dumps(explanation.as_dict()))
    else:
        from exiface.apps.explanation_page import parts_of

        _print(explanation, parts_of(explanation, judge).calibration.counted)
        if output is not None:
            typer.echo(f"page: {output}")


def _print(explanation: "Explanation", counted: str) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from exiface.apps.console import VERDICT_STYLES
    from exiface.apps.explanation_page import sign_sentence, tag_sentence

    face = explanation.judged
    console = Console()
    style = VERDICT_STYLES[face.verdict.value]
    which = f", {explanation.which}" if explanation.which else ""
    console.print(
        f"{escape(str(explanation.result.path))}{which}: [{style}]{face.verdict.value}[/], "
        f"p = {face.p_value:.3g}, against {counted}"
    )
    if face.unsure_because:
        console.print(f"This {explanation.what} is {escape(face.unsure_because)}.")
    console.print(face.sentence)
    if explanation.known_ratio is not None:
        console.print(explanation.known_ratio.sentence)
    declared = explanation.result.declared
    console.print(escape(declared.line))
    for sentence in (*declared.contradictions, *declared.unread):
        console.print(f"[yellow]{escape(sentence)}[/]")
    console.print()
    for sign in explanation.signs.items():
        console.print(sign_sentence(*sign))
    if explanation.signs:
        console.print()
    table = Table("after", box=None, header_style="bold", pad_edge=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("p", justify="right")
    for alteration, judged in explanation.stability.items():
        cells = ("[dim]face no longer found[/]", "")
        if judged is not None:
            verdict = judged.verdict.value
            cells = (f"[{VERDICT_STYLES[verdict]}]{verdict}[/]", f"{judged.p_value:.3g}")
        table.add_row(alteration, *cells)
    console.print(table)
    console.print(
        f"\nThe verdict stays in {explanation.kept} of {len(explanation.stability)} alterations."
    )
    for check in explanation.tag_checks:
        console.print(tag_sentence(check, explanation.what))
    if explanation.tag_checks:
        console.print(
            "[dim]Camera tags never change the verdict: they are easily forged, and what the "
            "detector expects of them is often wrong.[/]"
        )
