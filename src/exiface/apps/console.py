"""What the commands share: progress on standard error, and the look of verdicts."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich import progress
from rich.console import Console

from exiface.progress import Progress

VERDICT_STYLES = {"ai-generated": "bold red", "unsure": "yellow", "photographic": "green"}


@contextmanager
def progress_bar(text: str, *, shown: bool = True) -> Iterator[Progress]:
    """Show a bar on standard error, where that is a terminal.

    Args:
        text: what is being done.
        shown: False where something else is printed meanwhile.

    Yields:
        A function to be called with (done, total).
    """
    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with progress.Progress(
        *columns, console=console, transient=True, disable=not (shown and console.is_terminal)
    ) as bar:
        task = bar.add_task(text, total=None)

        def update(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield update
