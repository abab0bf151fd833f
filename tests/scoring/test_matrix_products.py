import numpy as np
import pytest

from exiface.scoring.matrix_products import DeviceRows, HostRows

DIMENSIONS = 300  # more than two blocks of columns


def made(number=500, seed=0):
    rng = np.random.default_rng(seed)
    factor = np.triu(rng.normal(size=(DIMENSIONS, DIMENSIONS))) / 10 + np.eye(DIMENSIONS)
    return rng.normal(size=(number, DIMENSIONS)), rng.normal(size=DIMENSIONS), factor


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_distances_are_those_of_the_slow_twin(dtype):
    values, mean, factor = made()
    index = np.arange(0, 500, 3)
    expected = [(((values[row] - mean) @ factor) ** 2).sum() for row in index]
    ours = HostRows(values.astype(dtype)).squared_distances(index, mean, factor)
    assert np.allclose(ours, expected, rtol=1e-4 if dtype == np.float32 else 1e-10)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_beyond_its_limit_a_distance_is_infinite_and_within_exact(share):
    values, mean, factor = made()
    index = np.arange(500)
    everywhere = HostRows(values).squared_distances(index, mean, factor)
    limits = np.where(np.random.default_rng(1).random(500) < share, everywhere * 1.1, 20.0)
    ours = HostRows(values).squared_distances(index, mean, factor, limits)
    within = everywhere <= limits
    assert np.allclose(ours[within], everywhere[within])
    assert np.isinf(ours[~within]).all()


def test_moments_are_those_of_the_slow_twin():
    values, _, _ = made(5000)
    index = np.arange(0, 5000, 2)
    weights = np.random.default_rng(2).random(2500)
    mean, scatter = HostRows(values).moments(index, weights)
    expected = np.average(values[index], axis=0, weights=weights)
    assert np.allclose(mean, expected)
    centred = values[index] - expected
    assert np.allclose(scatter, (weights[:, None] * centred).T @ centred)


def test_a_device_computes_the_same():
    pytest.importorskip("torch")
    values, mean, factor = made()
    index, weights = np.arange(5, 400), np.random.default_rng(2).random(395)
    host, device = HostRows(values), DeviceRows(values, "cpu")
    for ours, theirs in zip(
        (host.squared_distances(index, mean, factor), *host.moments(index, weights)),
        (device.squared_distances(index, mean, factor), *device.moments(index, weights)),
        strict=True,
    ):
        assert np.allclose(ours, theirs)
