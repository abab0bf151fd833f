"""Measure below which quality calibration photographs no longer cover a face or an image."""

import numpy as np
from numpy.typing import NDArray

from exiface.calibration import Calibration
from exiface.calibration.quality_limits import QualityLimits
from exiface.datasets import Manifest
from exiface.encoders import Encoder
from exiface.photos import read_photo
from exiface.photos.alterations import saved
from exiface.photos.crops import as_shown, shorter_side
from exiface.photos.quality import Quality
from exiface.scoring import Scorer
from exiface.threads import ordered_map

_JPEG_QUALITIES = (90, 70, 50, 30, 20, 10)
_COMPRESSED = 300  # photographs that are saved at each of these
_BATCH = 32


def measure_limits(
    encoder: Encoder,
    scorer: Scorer,
    calibration: Calibration,
    scores: NDArray[np.float64],
    rows: Manifest,
    *,
    seed: int = 0,
) -> QualityLimits:
    """Measure the limits of quality of a detector; each photograph is read once more.

    Args:
        encoder: its encoder.
        scorer: what it scores features with.
        calibration: by these photographs.
        scores: (n,) of their faces, or of them as wholes, as they are.
        rows: faces or whole images, in the same order.
        seed: of the choice of those that are compressed.
    """
    chosen = set(np.random.default_rng(seed).permutation(len(rows))[:_COMPRESSED].tolist())

    def measured(row: int) -> tuple[Quality, NDArray[np.uint8] | None]:
        photo, box = read_photo(rows.file(row)), rows.face_box(row)
        taken = encoder.inputs(photo.pixels, box)
        if encoder.subject == "image":
            quality = Quality.of_image(photo.pixels, photo.jpeg_quality)
        else:
            quality = Quality.of(taken, shorter_side(box), rows.landmarks[row], photo.jpeg_quality)
        return quality, as_shown(taken) if row in chosen else None

    qualities, crops = zip(*ordered_map(measured, range(len(rows))), strict=True)
    kept = [crop for crop in crops if crop is not None]

    def compressed(quality: int) -> NDArray[np.float64]:
        again = [saved(crop, "JPEG", quality) for crop in kept]
        batches = [again[start : start + _BATCH] for start in range(0, len(again), _BATCH)]
        features = np.concatenate(list(ordered_map(encoder.encode, batches)))
        return calibration.p_value(scorer.score(features))

    return QualityLimits.of(
        qualities,
        calibration.p_value(scores),
        calibration.alpha,
        compressed=((quality, compressed(quality)) for quality in _JPEG_QUALITIES),
    )
