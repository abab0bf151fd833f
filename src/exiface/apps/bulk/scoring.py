"""Score blocks: one stream through the detector, a part for each block."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from exiface.apps.bulk.inputs import Block, Item
from exiface.apps.bulk.parts import write_part
from exiface.detector import Detector, ImageResult
from exiface.detector.detector import Prepared
from exiface.threads import ordered_map

Report = Callable[[int], None]  # with the number of images scored so far


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
    """Score blocks and write their parts.

    The stream runs through the ends of blocks, so that decoding never waits for a part to be
    written. A part is written when all images of its block are judged; a kill loses at most those
    blocks that were under way, and they are scored again.

    Args:
        detector: that judges.
        blocks: to be scored, in order.
        folder: where the parts go.
        batch_size: faces that the encoder takes at a time.
        report: called with the number of images scored so far.

    Returns:
        How many images got each verdict, or "no verdict".
    """
    under_way: deque[tuple[Block, str | None]] = deque()  # a path, or None at a block's end

    def items() -> Iterator[Item]:
        for block in blocks:
            for item in block.items():
                under_way.append((block, item.path))
                yield item
            under_way.append((block, None))

    def prepare(item: Item) -> Prepared:
        if item.source is None:
            return Prepared(None, reason=item.reason)
        return detector.prepare(item.source)

    prepared = ordered_map(
        prepare, items(), workers=detector.threads, ahead=max(4 * detector.threads, batch_size)
    )
    counts: Counter[str] = Counter()
    kept: list[ImageResult] = []

    def finish_blocks() -> None:
        while under_way and under_way[0][1] is None:
            block, _ = under_way.popleft()
            write_part(folder, block.number, kept, detector.id)
            kept.clear()

    for done, result in enumerate(detector.judge(prepared, batch_size=batch_size), start=1):
        finish_blocks()
        _, path = under_way.popleft()
        kept.append(replace(result, path=path))
        counts["no verdict" if result.verdict is None else result.verdict.value] += 1
        report(done)
    finish_blocks()
    return counts


def shard(blocks: Sequence[Block], part: int, parts: int) -> list[Block]:
    """The blocks of shard `part` of `parts`, counted from 1.

    Example:
        >>> [block.number for block in shard([Block(n, ("a",)) for n in range(5)], 2, 2)]
        [1, 3]
    """
    return [block for block in blocks if block.number % parts == part - 1]
