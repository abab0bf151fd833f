"""How long work reports that it moves."""

from collections.abc import Callable

# Called with (done, total).
Progress = Callable[[int, int], None]


def no_progress(done: int, total: int) -> None:
    """Report to nobody."""
