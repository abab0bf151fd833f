"""What the commands share: progress on standard error, and the look of verdicts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

VERDICT_STYLES = {"ai-generated": "bold red", "unsure": "yellow", "photographic": "green"}


@contextmanager
def progress_bar(text: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error, where that is a terminal.

    Args:
        text: what is being done.

    Yields:
        A function to be called with (done, total).

    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task(text, total=None, note="")

        def update(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield update
