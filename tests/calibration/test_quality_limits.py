import math

import numpy as np
import pytest

from exiface.calibration.quality_limits import QualityLimits
from exiface.photos.quality import Quality


def qualities(sizes):
    return [Quality(size=float(size), sharpness=5.0) for size in sizes]


def test_without_trouble_the_limit_is_what_is_covered():
    p_values = np.tile(np.linspace(0.01, 1, 100), 10)
    limits = QualityLimits.of(qualities(range(100, 1100)), p_values, 0.05, compressed=())
    assert limits.size == 105
    assert limits.sharpness == 5
    assert math.isnan(limits.jpeg_quality)
    assert limits.reason(Quality(104, 5)) == (
        "too small to be compared (104 px, 105 px and more are covered)"
    )
    assert limits.reason(Quality(105, 5)) is None


def test_the_limit_is_where_small_faces_stop_being_flagged_too_often():
    p_values = np.concatenate([np.full(60, 0.01), np.linspace(0.06, 1, 940)])
    limits = QualityLimits.of(qualities(range(100, 1100)), p_values, 0.05, compressed=())
    assert limits.size > 160


@pytest.mark.parametrize(("breaks_at", "limit"), [(None, math.nan), (30, 50), (90, math.inf)])
def test_compression_counts_from_where_the_promise_breaks(breaks_at, limit):
    kept, broken = np.linspace(0.01, 1, 100), np.full(100, 0.01)
    asked = []

    def compressed():
        for quality in (90, 70, 50, 30, 20):
            asked.append(quality)
            yield quality, broken if breaks_at is not None and quality <= breaks_at else kept

    limits = QualityLimits.of(qualities([100] * 100), kept, 0.05, compressed=compressed())
    assert asked[-1] == (breaks_at or 20)  # those below aren't computed
    assert limits.jpeg_quality == pytest.approx(limit, nan_ok=True)
    again = QualityLimits.from_dict(limits.as_dict())
    assert again.as_dict() == limits.as_dict()


def test_few_photographs_do_not_show_what_they_cover():
    limits = QualityLimits.of(qualities(range(100, 250)), [0.5] * 150, 0.05, compressed=())
    assert limits.as_dict() == {}


def test_flat_pictures_are_unsure_with_their_reason():
    limits = QualityLimits(texture=0.44)
    reason = limits.reason(Quality(size=800, sharpness=5, texture=0.21))
    assert reason == (
        "too flat, as text, screenshots and drawings are, to be compared (21% of it isn't of one "
        "colour, 44% and more are covered)"
    )
    assert limits.reason(Quality(size=800, sharpness=5, texture=0.9)) is None
    assert limits.reason(Quality(size=800, sharpness=5)) is None
