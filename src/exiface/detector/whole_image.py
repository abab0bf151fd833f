"""Judge an image as a whole, by the traces that cameras leave at its own pixels."""

from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from exiface.detector.folder import DetectorParts
from exiface.detector.results import Judgement
from exiface.encoders.patch_runtime import OnnxPatchEncoder
from exiface.photos.quality import Quality


@dataclass(frozen=True, eq=False)
class Seen:
    """An image that was looked at as a whole, on its way to a verdict.

    Attributes:
        feature: (d,).
        quality: how well it can be seen.
    """

    feature: NDArray[np.float32]
    quality: Quality


class WholeImages:
    """Judges images as wholes.

    Args:
        parts: of a detector whose encoder looks at whole images.
        threads: for one image; None = one a core.
    """

    def __init__(self, parts: DetectorParts, *, threads: int | None = None) -> None:
        self.parts = parts
        self._threads = threads
        self._lock = Lock()

    @property
    def encoder(self) -> OnnxPatchEncoder:
        """Of whole images; made when the first is looked at, which may never be."""
        with self._lock:
            return self._encoder

    @cached_property
    def _encoder(self) -> OnnxPatchEncoder:
        parts = self.parts
        return OnnxPatchEncoder(parts.model, parts.attention, parts.encoder, threads=self._threads)

    def look(self, pixels: NDArray[np.uint8], jpeg_quality: int | None = None) -> Seen:
        """Look at an image; any number of threads may do so.

        Args:
            pixels: (h, w, 3) uint8, RGB.
            jpeg_quality: of the file; None of other formats.
        """
        return Seen(self.encoder.encode([pixels])[0], Quality.of_image(pixels, jpeg_quality))

    def patch_map(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """How much each patch of an image (h, w, 3) scores above the median one: (h, w).

        Each is scored as if it were the whole image; where none was looked at, 0.
        """
        height, width = pixels.shape[:2]
        scores = self.parts.scorer.score(self.encoder.each(pixels))
        scores = scores - np.median(scores)
        found = np.zeros((height, width), np.float32)
        boxes = self.encoder.patches.boxes(width, height)
        for (x0, y0, x1, y1), score in zip(boxes.tolist(), scores, strict=True):
            found[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = score
        return found

    def judge(self, seen: Seen, size: tuple[int, int]) -> Judgement:
        """Judge an image of this width and height that was looked at."""
        score = float(self.parts.scorer.score(seen.feature[None])[0])
        [finding] = self.parts.judge.findings([score], [self.parts.quality.reason(seen.quality)])
        box = (0.0, 0.0, float(size[0]), float(size[1]))
        return replace(self.parts.judgement(box, score, finding), detector=self.parts.id)
