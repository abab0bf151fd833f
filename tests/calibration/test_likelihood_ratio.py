import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exiface.calibration import LikelihoodRatio
from exiface.calibration.likelihood_ratio import LikelihoodCurve


def groups(values, number):
    return np.array_split(np.random.default_rng(0).permutation(values), number)


def test_a_known_law_is_found():
    """Photographs' p-values are uniform; generated ones are Beta(1/2, 1): LR = p^(-1/2) / 2."""
    rng = np.random.default_rng(1)
    real, fake = rng.uniform(size=6000), rng.beta(0.5, 1, size=6000)
    curve = LikelihoodCurve.of(groups(real, 40), groups(fake, 30))
    where = np.array([0.003, 0.03, 0.3, 0.9])
    value, low, high = curve.at(where)
    assert value == pytest.approx(where**-0.5 / 2, rel=0.15)
    assert (low <= value).all()
    assert (value <= high).all()


def test_a_slow_twin_fits_the_same_curve():
    """scikit-learn's logistic regression, weighted as the groups are, on the same bands."""
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(2)
    real, fake = groups(rng.uniform(size=900), 25), groups(rng.beta(0.4, 1.5, size=700), 22)
    curve = LikelihoodCurve.of(real, fake)
    lowest = min(values.min() for values in (*real, *fake))
    edges = np.geomspace(lowest, 1, 49)
    middle = np.sqrt(edges[1:] * edges[:-1])
    counts = [
        np.mean([np.histogram(np.clip(v, edges[0], 1), edges)[0] / len(v) for v in each], axis=0)
        for each in (real, fake)
    ]
    features = np.stack([np.log(middle), np.log1p(-middle)], axis=1)
    twin = LogisticRegression(C=1e3, tol=1e-10, max_iter=10_000).fit(
        np.tile(features, (2, 1)), np.repeat([0, 1], 48), np.concatenate(counts)
    )
    found = np.log(curve.at(middle)[0])
    expected = np.clip(twin.decision_function(features), -np.log(700), np.log(900))
    assert found == pytest.approx(expected, abs=0.1)


@settings(max_examples=15)
@given(st.integers(0, 2**31), st.floats(0.2, 3), st.floats(0.2, 3))
def test_it_never_rises_with_the_p_value_and_keeps_within_what_the_numbers_bear(seed, a, b):
    rng = np.random.default_rng(seed)
    real, fake = groups(rng.uniform(0.01, 1, 200), 20), groups(rng.beta(a, b, 150) + 1e-9, 5)
    ratios = LikelihoodCurve.of(real, [np.minimum(each, 1) for each in fake]).ratios
    assert (np.diff(ratios[0]) <= 1e-9).all()
    assert ratios.max() <= 200 + 1e-9
    assert ratios.min() >= 1 / 150 - 1e-9


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1.9, "no support for either"),
        (2, "weak support for generated over photographed"),
        (10, "moderate support for generated over photographed"),
        (1000, "strong support for generated over photographed"),
        (0.05, "moderate support for photographed over generated"),
    ],
)
def test_the_words_are_those_of_the_guideline(value, words):
    ratio = LikelihoodRatio(value, value / 2, value * 2)
    assert ratio.words == words
    assert ratio.as_dict()["words"] == words
    assert words in ratio.sentence


def test_what_speaks_for_a_photograph_is_said_the_other_way_round():
    assert LikelihoodRatio(0.2, 0.1, 0.5, "pictures").sentence == (
        "A score like this is about 5 times as common among photographs as among generated "
        "pictures of kinds it has never seen (2 to 10): weak support for photographed over "
        "generated."
    )
    said = LikelihoodRatio(132.0, 108.0, 2410.0).sentence
    assert "about 130 times as common" in said
    assert "(110 to 2400)" in said
