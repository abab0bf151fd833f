"""Score blocks: one stream through the detector, a part for each block."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from exiface.apps.bulk.inputs import Block, Item
from exiface.apps.bulk.parts import SCORE_COLUMNS, row, write_rows
from exiface.detector import Detector, ImageResult
from exiface.detector.detector import Prepared
from exiface.threads import ordered_map

Result = TypeVar("Result")
Report = Callable[[int], None]  # called with the number of images scored so far


def silent(_: int) -> None:
    """Report to nobody."""


def score_blocks(
    detector: Detector,
    blocks: Iterable[Block],
    folder: Path,
    *,
    batch_size: int = 32,
    report: Report = silent,
) -> Counter[str]:
    """Score blocks, write their parts, and count how many images got each verdict, or none.

    The stream runs through the ends of blocks, so that decoding never waits for a part to be
    written. A kill loses at most the blocks that were under way, and they are scored again.
    """

    def prepare(item: Item) -> Prepared:
        if item.source is None:
            alpha = detector.parts.calibration.alpha
            return Prepared(ImageResult(None, detector.parts.id, reason=item.reason, alpha=alpha))
        return detector.prepare(item.source)

    def judged(items: Iterator[Item]) -> Iterator[ImageResult]:
        ahead = max(4 * detector.threads, batch_size)
        prepared = ordered_map(prepare, items, workers=detector.threads, ahead=ahead)
        return detector.judge(prepared, batch_size=batch_size)

    counts: Counter[str] = Counter()

    def finish(block: Block, results: Sequence[tuple[str, ImageResult]]) -> None:
        named = [replace(result, path=path) for path, result in results]
        counts.update(
            "no verdict" if result.verdict is None else result.verdict.value for result in named
        )
        write_rows(folder, block.number, [*map(row, named)], SCORE_COLUMNS, detector.id)

    stream_blocks(blocks, judged, finish, report)
    return counts


def stream_blocks(
    blocks: Iterable[Block],
    process: Callable[[Iterator[Item]], Iterator[Result]],
    finish: Callable[[Block, Sequence[tuple[str, Result]]], None],
    report: Report,
) -> None:
    """Run the images of blocks through one stream, and finish each block when its last is through.

    `process` gives a result for each image, in order; `finish` gets them with their paths.
    """
    under_way: deque[tuple[Block, str | None]] = deque()  # a path, or None at a block's end

    def items() -> Iterator[Item]:
        for block in blocks:
            for item in block.items():
                under_way.append((block, item.path))
                yield item
            under_way.append((block, None))

    kept: list[tuple[str, Result]] = []

    def finish_blocks() -> None:
        while under_way and under_way[0][1] is None:
            block, _ = under_way.popleft()
            finish(block, kept)
            kept.clear()

    for done, result in enumerate(process(items()), start=1):
        finish_blocks()
        _, path = under_way.popleft()
        assert path is not None  # noqa: S101 - ends of blocks are gone
        kept.append((path, result))
        report(done)
    finish_blocks()
