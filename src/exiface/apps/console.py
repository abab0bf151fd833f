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

_LOG_SECONDS = 30.0
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
    """Print what is known of something, a label and a text a line; without a text, no line."""
    table = Table.grid(padding=(0, 2))
    for label, text in rows.items():
        if text:
            table.add_row(f"[bold]{label}[/]", Text.from_markup(text, overflow="fold"))
    Console().print(table)


def _bar(console: Console, *rate: progress.ProgressColumn, shown: bool = True) -> progress.Progress:
    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        *rate,
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not (shown and console.is_terminal),
    )


@contextmanager
def progress_bar(text: str, *, shown: bool = True) -> Iterator[Progress]:
    """Show a bar on standard error, where that is a terminal and nothing else is printed there."""
    with _bar(Console(stderr=True), shown=shown) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Rate(progress.ProgressColumn):
    def render(self, task: progress.Task) -> Text:
        """Write how many images a second were done lately."""
        return Text(f"{task.speed or 0:.1f}/s", style="progress.data.speed")


@contextmanager
def rate_bar(text: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show how fast long work moves and how long it will take.

    That is a bar on a terminal; elsewhere, such as in a log, a line every half minute. The function
    that it yields is called with the number of images done.
    """
    console = Console(stderr=True)
    start = logged = time.monotonic()
    with _bar(console, _Rate()) as bar:
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
