"""Blocks scored on a Ray cluster: Ray Data hands them to workers that each hold a detector."""

import logging
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exiface.apps.bulk.inputs import Block
from exiface.apps.bulk.scoring import Report, score_blocks, silent
from exiface.choices import Scope
from exiface.detector import Detector
from exiface.detector.folder import BUILTIN


class _Scorer:
    """A worker: scores whole blocks into the run's folder."""

    def __init__(
        self,
        detector: str | None,
        subject: Scope | None,
        folder: Path,
        batch_size: int,
        threads: int,
    ) -> None:
        self.detector = Detector.load(detector, subject=subject, threads=threads)
        self.folder, self.batch_size = folder, batch_size

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        blocks = (
            Block(int(number), tuple(map(str, paths)))
            for number, paths in zip(batch["number"], batch["paths"], strict=True)
        )
        counts = score_blocks(self.detector, blocks, self.folder, batch_size=self.batch_size)
        return {"images": [*counts.values()], "verdict": [*counts]}


def _silence() -> None:
    """Keep Ray's log lines off the terminal."""
    import ray.data  # gives its logger handlers

    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray").setLevel(logging.ERROR)
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setLevel(logging.ERROR)


@contextmanager
def _nothing_on_stderr() -> Iterator[None]:
    """Send what this process and its children write on standard error nowhere."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - no file
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def score_on_ray(
    detector: str | None,
    blocks: Sequence[Block],
    folder: Path,
    *,
    subject: Scope | None = None,
    batch_size: int = 32,
    workers: int | None = None,
    threads: int = 1,
    report: Report = silent,
) -> Counter[str]:
    """Score blocks, as `score_blocks` does, on the cluster that `RAY_ADDRESS` names, or here.

    A detector's folder, the run's folder and the images lie at the same place on every machine.
    There are as many workers as the cluster has cores for, unless their number is given; each has
    so many threads.
    """
    # What users must know is raised, or stands in the table; the files of Ray's session have all.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to Ray's makers
    import ray.data

    _silence()
    counts: Counter[str] = Counter()
    if not blocks:
        return counts
    if detector is not None and detector not in BUILTIN:  # other processes need the whole path
        detector = str(Path(detector).resolve())
    started = not ray.is_initialized()
    if started:
        with _nothing_on_stderr():  # it tells there that its log level was set
            ray.init(log_to_driver=False, configure_logging=False, include_dashboard=False)
    try:
        cores = int(ray.cluster_resources().get("CPU", 1))  # type: ignore[no-untyped-call]
        workers = min(workers or max(1, cores // threads), len(blocks))
        rows = [{"number": block.number, "paths": list(block.paths)} for block in blocks]
        scored = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _Scorer,
            fn_constructor_args=(detector, subject, folder.resolve(), batch_size, threads),
            batch_size=1,
            num_cpus=threads,
            compute=ray.data.ActorPoolStrategy(size=workers),
        )
        for row in scored.iter_rows():
            counts[row["verdict"]] += int(row["images"])
            report(counts.total())
    finally:
        if started:
            ray.shutdown()
    return counts
