import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture as Reference

from exiface.scoring import DensityError, GaussianMixture, choose_components
from exiface.scoring.expectation_maximisation import Regularisation, estimate_gaussians
from exiface.scoring.matrix_products import DeviceRows, HostRows


def two_clouds(number=2000, dimensions=3, seed=0):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(dimensions, dimensions)) + 2 * np.eye(dimensions)
    centres = np.array([np.zeros(dimensions), np.full(dimensions, 6.0)])
    return (rng.normal(size=(number, dimensions)) + centres[rng.integers(0, 2, number)]) @ mixing


def test_with_many_photographs_it_is_the_plain_mixture():
    features, held_out = two_clouds(20_000), two_clouds(22_000)[20_000:]
    ours = GaussianMixture(2, seed=0).fit(features).score_samples(held_out)
    theirs = Reference(2, random_state=0).fit(features).score_samples(held_out)
    assert np.abs(ours - theirs).max() < 0.1
    assert ours.mean() == pytest.approx(theirs.mean(), abs=2e-3)


@pytest.mark.parametrize("seed", [0, 2024])
def test_without_shrinkage_it_is_scikit_learns_from_the_same_start(seed):
    rng = np.random.default_rng(seed)
    features = np.concatenate([rng.normal(3 * c, 1 + c / 4, size=(300, 6)) for c in range(4)])
    ours = GaussianMixture(4, seed=seed, shrunk=False).fit(features)
    theirs = Reference(4, init_params="k-means++", random_state=seed).fit(features)
    order, other = np.argsort(ours.means_[:, 0]), np.argsort(theirs.means_[:, 0])
    assert np.allclose(ours.weights_[order], theirs.weights_[other], atol=1e-3)
    assert np.allclose(ours.means_[order], theirs.means_[other], atol=1e-2)
    held_out = rng.normal(3, 2, size=(500, 6))
    assert ours.score_samples(held_out).mean() == pytest.approx(theirs.score(held_out), abs=5e-3)


def test_single_precision_and_threads_change_nothing_that_matters(monkeypatch):
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.normal(c, 1, size=(400, 40)) for c in range(3)])
    double = GaussianMixture(3, seed=0, shrunk=False).fit(features)
    monkeypatch.setattr("exiface.scoring.gaussian_mixture._LARGE", 1)
    single = GaussianMixture(3, seed=0, shrunk=False).fit(features)
    assert np.allclose(double.means_, single.means_, atol=1e-3)
    assert double.score_samples(features).mean() == pytest.approx(
        single.score_samples(features).mean(), rel=1e-4
    )


@given(st.integers(0, 10_000))
@settings(max_examples=15)
def test_the_likelihood_never_falls(seed):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(200, 5)) + 2 * rng.integers(0, 3, (200, 1))
    history = GaussianMixture(3, seed=seed, shrunk=False).fit(features).history_
    assert history.converged
    assert (np.diff(history.likelihoods) > -1e-5).all()


def test_a_component_on_a_single_photograph_is_refused():
    features = np.concatenate([np.random.default_rng(0).normal(size=(50, 3)), [[1e4, 1e4, 1e4]]])
    with pytest.raises(DensityError, match=r"collapsed onto 1.0 of 51 .* lower n_components"):
        GaussianMixture(2, seed=0, shrunk=False).fit(features)
    assert np.isfinite(GaussianMixture(2, seed=0).fit(features).score_samples(features)).all()


def test_the_slow_twin_agrees():
    mixture = GaussianMixture(3, seed=0).fit(two_clouds(400))
    arrays = {name: array.astype(float) for name, array in mixture.arrays().items()}
    points = two_clouds(20, seed=5)
    expected = []
    for point in points:
        white = (point - arrays["centre"]) @ arrays["whitening"]
        density = 0.0
        for weight, mean, factor in zip(
            arrays["weights"], arrays["means"], arrays["precisions_cholesky"], strict=True
        ):
            covariance = np.linalg.inv(factor @ factor.T)
            density += weight * multivariate_normal(mean, covariance).pdf(white)
        expected.append(np.log(density * abs(np.linalg.det(arrays["whitening"]))))
    assert np.allclose(mixture.score_samples(points), expected, rtol=1e-4)


def test_the_covariances_are_drawn_towards_unity_as_if_so_many_rows_had_said_so():
    rows = np.random.default_rng(0).normal(size=(30, 4)) * [1, 2, 3, 0.5]
    shares = np.random.default_rng(1).dirichlet([1, 1], 30)
    regularisation = Regularisation(np.full(4, 0.1), prior=7.0)
    found = estimate_gaussians(HostRows(rows), shares, regularisation)
    for component in range(2):
        weight = shares[:, component]
        mean = weight @ rows / weight.sum()
        scatter = (weight * (rows - mean).T) @ (rows - mean)
        expected = (scatter + 7 * np.eye(4)) / (weight.sum() + 7) + 0.1 * np.eye(4)
        factor = found.factors[component]
        assert np.allclose(np.linalg.inv(factor @ factor.T), expected)
        assert np.allclose(found.means[component], mean)


@given(st.integers(0, 10_000))
@settings(max_examples=10)
def test_an_affine_change_of_features_shifts_all_likelihoods_alike(seed):
    rng = np.random.default_rng(seed)
    features, points = two_clouds(3_000), two_clouds(50, seed=9)
    scale, shift = rng.uniform(0.2, 5), rng.normal(size=3)
    plain = GaussianMixture(2, seed=0).fit(features).score_samples(points)
    moved = GaussianMixture(2, seed=0).fit(features * scale + shift)
    difference = plain - moved.score_samples(points * scale + shift)
    assert np.allclose(difference, 3 * np.log(scale), atol=0.05)


def test_fewer_photographs_than_dimensions_still_rank_outliers_last():
    rng = np.random.default_rng(0)
    photographs = rng.normal(size=(60, 256)) * np.linspace(0.1, 3, 256)
    mixture = GaussianMixture(4, seed=0).fit(photographs)
    others = rng.normal(size=(60, 256)) * np.linspace(0.1, 3, 256)
    assert np.isfinite(mixture.score_samples(others)).all()
    assert mixture.score_samples(others).min() > mixture.score_samples(others * 4).max()


def test_constant_features_are_harmless():
    features = np.column_stack([two_clouds(200), np.full(200, 7.0)])
    assert np.isfinite(GaussianMixture(2, seed=0).fit(features).score_samples(features)).all()


def test_the_number_of_components_is_chosen_by_photographs_left_out():
    two = two_clouds(250)
    reported = []
    chosen, held_out = choose_components(
        two, np.arange(250), progress=lambda *counts: reported.append(counts)
    )
    assert reported == [(done, 25) for done in range(1, 26)]
    assert set(held_out) == {1, 2, 4, 8, 12}
    assert chosen == 2
    assert held_out[2] > held_out[1] + 0.2
    one = np.random.default_rng(0).normal(size=(250, 3))
    assert choose_components(one, np.arange(250))[0] == 1
    assert choose_components(two[:8], np.arange(8)) == (1, {})


def test_features_that_cannot_be_fitted_are_refused():
    with pytest.raises(DensityError, match="not finite, the first is row 0"):
        GaussianMixture(2, seed=0).fit([[0.0, np.nan], [1, 2], [2, 3]])
    with pytest.raises(DensityError, match="too few for 2 components"):
        GaussianMixture(2, seed=0).fit(np.zeros((3, 2)))


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
