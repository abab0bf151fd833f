import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from exiface.scoring import DensityError, Evidence, Head


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(3, 2, (500, 6))


@pytest.fixture(params=[0, 0.05, 0.3, (0, 0.05, 0.3)], ids=str)
def evidence(features, request):
    directions = np.random.default_rng(1).normal(size=(3, 6))
    return Evidence(directions, floor=request.param).fit(features)


def test_the_score_is_what_its_slow_twin_says(evidence, features):
    *heads, floor, _ = evidence.arrays().values()
    reached = 0
    for row, score in zip(features[:50], evidence.score(features[:50]), strict=True):
        tails = [
            1 - norm.cdf((row @ direction - mean) / deviation)
            for direction, mean, deviation in zip(*heads, strict=True)
        ]
        reached += (tails < floor).sum()
        assert score == pytest.approx(-np.log(np.prod(np.maximum(tails, floor))), rel=1e-6)
    assert (reached > 0) == (floor > 0).any()


@given(st.integers(0, 2), st.floats(0.01, 50), st.sampled_from([0, 0.05]))
def test_more_of_any_sign_is_more_suspicious_up_to_the_floor(sign, step, floor):
    features = np.random.default_rng(0).normal(size=(50, 3))
    evidence = Evidence(np.eye(3), floor).fit(features)
    shifted = features[:5].copy()
    shifted[:, sign] += step
    before, after = evidence.score(features[:5]), evidence.score(shifted)
    assert np.isfinite(after).all()
    below = norm.sf(evidence.signs(features[:5])[f"head {sign + 1}"]) > floor
    assert (after[below] > before[below]).all()
    assert (after >= before).all()


def test_a_sign_of_twice_the_weight_counts_as_twice_the_sign(features):
    directions = np.random.default_rng(1).normal(size=(3, 6))
    twice = Evidence(directions[[0, 0, 1, 2]], (0, 0, 0.05, 0.05)).fit(features)
    weighted = Evidence(directions, (0, 0.05, 0.05), (2, 1, 1)).fit(features)
    assert np.allclose(weighted.score(features), twice.score(features))
    restored = Evidence.from_arrays(weighted.arrays())
    assert np.array_equal(restored.score(features), weighted.score(features))
    other = weighted.refitted(features + 1)
    assert np.allclose(other.score(features + 1), weighted.score(features))
    assert "weights" not in twice.arrays()  # as the first version stored it


def test_a_sign_without_a_tail_counts_with_its_deviations(features):
    directions = np.random.default_rng(1).normal(size=(3, 6))
    mixed = Evidence(directions, (np.nan, 0.05, 0.05), (3, 1, 1)).fit(features)
    tails = Evidence(directions[1:]).fit(features).score(features)
    assert np.allclose(mixed.score(features), 3 * mixed.signs(features)["head 1"] + tails)


@pytest.mark.parametrize("text", ["smoothing:x", "smoothing:0:1:2"])
def test_what_is_no_sign_is_refused(text):
    with pytest.raises(DensityError, match="NAME:FLOOR:WEIGHT"):
        Head.parse(text)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"means": None}, "has the arrays"),
        ({"deviations": np.zeros(3)}, "positive"),
        ({"means": np.full(3, np.nan)}, "finite"),
        ({"directions": np.zeros(6)}, "shape"),
        ({"floor": np.zeros(2)}, "one of each of"),
        ({"floor": np.array([0, 0.05, 1])}, r"\[0, 1\)"),
    ],
)
def test_damaged_arrays_are_refused(evidence, changed, reason):
    arrays = {
        name: value for name, value in (evidence.arrays() | changed).items() if value is not None
    }
    with pytest.raises(DensityError, match=reason):
        Evidence.from_arrays(arrays)


def test_what_cannot_be_fitted_or_scored_says_why(evidence, features):
    with pytest.raises(DensityError, match="not fitted"):
        Evidence(np.eye(2)).score(np.zeros((1, 2)))
    with pytest.raises(DensityError, match="at least 2"):
        Evidence(np.eye(6)).fit(features[:1])
    with pytest.raises(DensityError, match="head 1 says the same"):
        Evidence(np.eye(2)).fit([[0.0, 5.0], [1.0, 5.0]])


def test_heads_are_chosen_by_name():
    heads = {"a": np.array([3.0, 4.0]), "b": np.array([0.0, 2.0])}
    chosen = Evidence.of(heads, [Head("b"), Head("a", 0.1, 2, low=True)])
    restored = Evidence.from_arrays(chosen.fit(np.eye(2)).arrays())
    assert restored.arrays()["directions"].tolist() == [[0, 1], [-0.6, -0.8]]
    assert restored.words == "evidence of b (at least 0.05), 2 x -a (at least 0.1)"
    with pytest.raises(DensityError, match="no head 'c'; it has a, b"):
        Evidence.of(heads, [Head("a"), Head("c")])
