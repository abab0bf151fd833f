import numpy as np
import pytest

from exiface.photos import retouching
from exiface.photos.retouching import retouched, sharpened


@pytest.fixture
def crop(astronaut):
    return astronaut[80:208, 160:288]


def roughness(pixels):
    """Mean square of what a pixel differs from its neighbours."""
    values = pixels.astype(float)
    return (np.diff(values, axis=0) ** 2).mean() + (np.diff(values, axis=1) ** 2).mean()


@pytest.mark.parametrize("number", range(5))
def test_each_filter_smooths_and_keeps_the_picture(crop, number):
    before = crop.copy()
    soft = retouching._FILTERS[number](crop, np.random.default_rng(0))
    assert soft.shape == crop.shape
    assert soft.dtype == np.uint8
    assert roughness(soft) < 0.97 * roughness(crop)
    assert np.abs(soft.astype(float) - crop).mean() < 12
    assert np.array_equal(crop, before)


def test_the_generator_decides(crop):
    first, again, other = (retouched(crop, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, crop)


def test_sharpening_makes_edges_steeper(crop):
    assert roughness(sharpened(crop, 1.0, 0.8)) > 1.3 * roughness(crop)
    assert np.array_equal(sharpened(crop, 1.0, 0.0), crop)
