import numpy as np
import pytest

from exiface.photos import Preprocessing
from exiface.photos.whole_face import averaged, smoothed


@pytest.fixture(scope="module")
def crop(astronaut, face):
    return Preprocessing(224).crop(astronaut, face.box)


def roughness(pixels):
    return np.abs(np.diff(pixels.astype(float), axis=1)).mean()


@pytest.mark.parametrize("seed", [0, 1, 2, 3])  # both filters are drawn
def test_smoothing_keeps_the_face_and_takes_its_grain(crop, seed):
    grain = np.random.default_rng(9).normal(0, 4, crop.shape)
    grainy = np.clip(crop + grain, 0, 255).astype(np.uint8)
    before = grainy.copy()
    result = smoothed(grainy, np.random.default_rng(seed))
    assert np.array_equal(result, smoothed(grainy, np.random.default_rng(seed)))
    assert np.array_equal(grainy, before)
    assert result.shape == crop.shape
    assert roughness(result) < 0.8 * roughness(grainy)
    # Edges stay: it is nearer to the face without grain than the grainy one is.
    error = np.abs(result.astype(float) - crop).mean()
    assert error < np.abs(grainy.astype(float) - crop).mean()


def test_the_average_is_the_mean(crop):
    other = crop[:, ::-1]
    result = averaged(crop, np.ascontiguousarray(other))
    assert np.abs(result - (crop.astype(float) + other) / 2).max() <= 0.5
