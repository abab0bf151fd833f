"""The contract that every scorer keeps, and scikit-learn's of estimators for the mixture."""

import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

from exiface.scoring import SCORERS, Classifier, DensityError, Evidence, GaussianMixture

DIMENSIONS = 5
MADE = {
    "density": lambda: GaussianMixture(2, seed=1),
    "evidence": lambda: Evidence(np.eye(3, DIMENSIONS), names=["a", "b", "c"]),
    "classifier": lambda: Classifier([(np.ones((1, DIMENSIONS)), np.zeros(1))]),
}


def features(number=60, seed=0):
    return np.random.default_rng(seed).normal(size=(number, DIMENSIONS))


@pytest.fixture(params=SCORERS)
def scorer(request):
    return MADE[request.param]().fit(features())


def test_it_scores_rows_one_by_one_as_together(scorer):
    rows = features(20, seed=1)
    scores = scorer.score(rows)
    assert scores.shape == (20,)
    assert np.allclose([scorer.score(row[None])[0] for row in rows], scores)
    assert scorer.score(rows[:0]).shape == (0,)


def test_what_is_stored_is_the_same_scorer(scorer):
    restored = SCORERS[next(n for n, kind in SCORERS.items() if kind is type(scorer))].from_arrays(
        scorer.arrays()
    )
    rows = features(20, seed=1)
    assert np.array_equal(restored.score(rows), scorer.score(rows))
    assert (restored.words, restored.supervised) == (scorer.words, scorer.supervised)
    with pytest.raises(DensityError, match="arrays"):
        type(scorer).from_arrays({"other": np.zeros(3)})


def test_other_features_are_refused(scorer):
    with pytest.raises(DensityError, match=rf"\(n, {DIMENSIONS}\)"):
        scorer.score(np.zeros((2, DIMENSIONS + 1)))
    with pytest.raises(DensityError, match="finite"):
        scorer.score(np.full((2, DIMENSIONS), np.nan))


def test_refitted_it_knows_other_photographs(scorer):
    moved = features(seed=2) + 100
    again = scorer.refitted(moved)
    assert np.isfinite(again.score(moved)).all()
    assert again.score(moved).mean() < scorer.score(moved).mean()


# Checks of scikit-learn's that the mixture doesn't keep, and why.
OWN_ERRORS = "the error is a DensityError, whose words name the next step of the command line"
NOT_KEPT = {
    "check_estimators_unfitted": OWN_ERRORS,
    "check_estimators_nan_inf": OWN_ERRORS,
    "check_fit2d_1sample": OWN_ERRORS,
    "check_fit2d_predict1d": OWN_ERRORS,
    "check_n_features_in_after_fitting": OWN_ERRORS,
    "check_complex_data": "features are real numbers; NumPy's own warning is what one gets",
    "check_estimator_sparse_tag": "features are dense; NumPy's own error is what one gets",
    "check_estimator_sparse_array": "likewise",
    "check_estimator_sparse_matrix": "likewise",
}


@parametrize_with_checks(
    [GaussianMixture()], expected_failed_checks=lambda _: NOT_KEPT, xfail_strict=True
)
def test_the_mixture_is_an_estimator_of_scikit_learn(estimator, check):
    check(estimator)


def test_it_is_cloned_and_stands_in_pipelines():
    mixture = GaussianMixture(2, seed=3)
    copied = clone(mixture.fit(features()))
    assert copied.get_params() == mixture.get_params()
    with pytest.raises(DensityError, match="not fitted"):
        copied.score_samples(features())
    whole = make_pipeline(StandardScaler(), copied).fit(features())
    scaled = StandardScaler().fit_transform(features())
    assert np.allclose(
        whole.score_samples(features()), clone(mixture).fit(scaled).score_samples(scaled)
    )
    assert set(whole.predict(features())) == {0, 1}
    with pytest.raises(DensityError, match="no parameter 'covariance'"):
        mixture.set_params(covariance="full")


def made(seed=0):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 2))
    first, last = (
        (layer.weight.detach().numpy(), layer.bias.detach().numpy())
        for layer in (network[0], network[2])
    )
    log_odds = (last[0][1:] - last[0][:1], last[1][1:] - last[1][:1])
    return network, Classifier([first, log_odds])


def test_its_probability_is_that_of_the_softmax():
    network, classifier = made()
    features = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    expected = network(torch.from_numpy(features)).softmax(1)[:, 1].detach().numpy()
    scores = classifier.score(features)
    assert np.allclose(expit(scores), expected, atol=1e-6)
    assert classifier.features == 6
