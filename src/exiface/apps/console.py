"""What the commands share: progress on standard error, and the look of verdicts."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from rich import progress
from rich.console import Console
from rich.table import Table
from rich.text import Text

from exiface.progress import Progress

VERDICT_STYLES = {
    "ai-generated": "bold red",
    "unsure": "yellow",
    "photographic": "green",
    "nothing-found": "dim",
}


def show_information() -> None:
    """Show what the library chose, such as device and precision, beside what it warns of."""
    logging.getLogger("exiface").setLevel(logging.INFO)


def print_rows(rows: Mapping[str, str]) -> None:
    """Print what is known of something, a label and a text a line."""
    table = Table.grid(padding=(0, 2))
    for label, text in rows.items():
        table.add_row(f"[bold]{label}[/]", text)
    Console().print(table)


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


_LOG_SECONDS = 30.0


class _Rate(progress.ProgressColumn):
    def render(self, task: progress.Task) -> Text:
        """Images a second, lately."""
        return Text(f"{task.speed or 0:.1f}/s", style="progress.data.speed")


@contextmanager
def rate_bar(text: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show how fast long work moves and how long it will take.

    On a terminal a bar; elsewhere, such as in a log, a line every half minute.

    Args:
        text: what is being done.
        total: images; None where it isn't known.

    Yields:
        A function to be called with the number done.
    """
    console = Console(stderr=True)
    start = logged = time.monotonic()
    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        _Rate(),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(text, total=total)

        def report(done: int) -> None:
            nonlocal logged
            bar.update(task, completed=done)
            now = time.monotonic()
            if console.is_terminal or now - logged < _LOG_SECONDS:
                return
            logged = now
            rate = done / (now - start)
            left = ""
            if total is not None:
                left = f" of {total}, {timedelta(seconds=round((total - done) / rate))} left"
            console.print(f"{text}: {done}{left}, {rate:.1f}/s")

        yield report
