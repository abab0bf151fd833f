"""Work is spread over threads; its results keep their order, and memory stays flat."""

import ctypes
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import onnxruntime

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def keep_freed_memory() -> None:
    """Have this process keep the memory that it frees, for the next step of a training.

    The GNU C library hands large blocks back to the system, which fills their pages with zeros each
    time anew: up to half of a step's time on CPUs. Elsewhere this does nothing.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        trim_threshold, mmap_threshold = -1, -3  # malloc.h
        library.mallopt(trim_threshold, 2**31 - 1)
        library.mallopt(mmap_threshold, 2**30)


def session_options(threads: int | None = None) -> "onnxruntime.SessionOptions":
    """How ONNX Runtime shares the cores; threads: for one batch, None = one a core."""
    import onnxruntime  # what only maps over threads has no use for it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or cores()
    options.log_severity_level = 3  # errors only: it warns of every machine without a GPU
    # The cores belong to decoding, not to threads that wait: a tenth more images a second.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def ordered_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int | None = None,
    ahead: int | None = None,
) -> Iterator[Result]:
    """Map over threads like `map`, drawing items only as far ahead as asked.

    `ThreadPoolExecutor.map` draws all items at once, which a stream of a million images can't bear.
    Decoding, OpenCV and ONNX Runtime release the interpreter lock, so threads do use the cores.

    Args:
        function: called in a thread; what it raises is raised at its item's turn.
        items: drawn lazily, in the caller's thread.
        workers: threads; None = one a core.
        ahead: items under way or finished and not yet taken, at most; None = 4 a thread.

    Yields:
        The results in the order of the items.

    Example:
        >>> list(ordered_map(abs, [-3, 1, -2]))
        [3, 1, 2]
    """
    workers = workers or cores()
    ahead = ahead or 4 * workers
    pending: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="exiface") as pool:
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) >= ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
