"""How work that takes long reports its progress."""

from collections.abc import Callable

# Called with (done, total); total is None where it isn't known.
Progress = Callable[[int, int | None], None]


def no_progress(done: int, total: int | None) -> None:
    """Report nothing."""
