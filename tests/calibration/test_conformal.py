import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exiface.calibration import Calibration, CalibrationError

finite = st.integers(-(10**7), 10**7).map(lambda thousandths: thousandths / 1000)


@given(st.lists(finite, min_size=19, max_size=60), finite)
def test_the_slow_twin_agrees(scores, score):
    at_least = sum(round(other, 3) >= round(score, 3) for other in scores)
    expected = (1 + at_least) / (len(scores) + 1)
    assert Calibration.of(scores).p_value(score) == pytest.approx(expected)


@given(st.lists(finite, min_size=19, max_size=60), finite, finite)
def test_more_anomalous_is_never_more_photographic(scores, first, second):
    calibration = Calibration.of(scores)
    low, high = sorted((first, second))
    assert calibration.p_value(low) >= calibration.p_value(high)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_the_promised_false_alarm_rate_is_kept(alpha):
    # 2,000 calibration sets of 199 photographs, 20 new photographs each, heavy tails.
    rng = np.random.default_rng(0)
    rates = []
    for _ in range(2_000):
        calibration = Calibration.of(rng.standard_t(2, 199), alpha=alpha)
        rates.append((calibration.p_value(rng.standard_t(2, 20)) <= alpha).mean())
    # With ties impossible the rate is alpha exactly; six standard errors of the mean.
    standard_error = np.std(rates) / np.sqrt(len(rates))
    assert abs(np.mean(rates) - alpha) < 6 * standard_error
    assert standard_error < 0.002


@pytest.mark.parametrize(("alpha", "needed"), [(0.05, 19), (0.01, 99), (0.1, 9)])
def test_as_many_photographs_as_the_rate_needs(alpha, needed):
    calibration = Calibration.of(range(needed), alpha=alpha)
    assert calibration.p_value(needed) <= alpha + 1e-12
    with pytest.raises(CalibrationError, match=f"at least {needed}"):
        Calibration.of(range(needed - 1), alpha=alpha)


def test_nonsense_is_refused():
    with pytest.raises(CalibrationError, match="alpha <= beta"):
        Calibration.of(range(99), alpha=0.3, beta=0.2)
    with pytest.raises(CalibrationError, match="finite"):
        Calibration.of([np.nan] * 99)


names = st.sampled_from(["camera", "scanner"])


@given(st.lists(st.tuples(finite, names), min_size=80, max_size=120), finite)
def test_the_worst_source_decides(entries, score):
    scores, sources = [score for score, _ in entries], [name for _, name in entries]
    groups = [[s for s, n in entries if n == name] for name in sorted(set(sources))]
    if min(map(len, groups)) < 38:  # too few of one for a p-value of their own
        groups = [scores]
    each = [(1 + sum(s >= score for s in group)) / (len(group) + 1) for group in groups]
    calibration = Calibration.of(scores, sources=sources)
    low, high = calibration.p_range(score)
    assert (low, high) == pytest.approx((min(each), max(each)))
    assert calibration.p_value(score) == high


def test_the_promise_holds_for_each_source():
    rng = np.random.default_rng(0)
    shifts = {"a": 0.0, "b": 1.0, "c": -2.0}
    rates = {name: [] for name in shifts}
    for _ in range(300):
        scores = np.concatenate([shift + rng.standard_normal(99) for shift in shifts.values()])
        calibration = Calibration.of(scores, sources=np.repeat(list(shifts), 99))
        for name, shift in shifts.items():
            rates[name].append(
                (calibration.p_value(shift + rng.standard_normal(50)) <= 0.05).mean()
            )
    means = {name: np.mean(of_source) for name, of_source in rates.items()}
    assert 0.04 < means["b"] < 0.055
    assert means["a"] < means["b"]
    assert means["c"] < 0.01


def test_small_sources_are_taken_together():
    scores = np.arange(100.0)
    several = Calibration.of(scores, sources=["a"] * 60 + ["b"] * 20 + ["c"] * 20)
    assert [len(group) for group in several.by_source()] == [60, 40]
    with_the_largest = Calibration.of(scores, sources=["a"] * 60 + ["b"] * 38 + ["c"] * 2)
    assert [len(group) for group in with_the_largest.by_source()] == [60, 40]
    assert Calibration.of(scores, sources=["a"] * 90 + ["b"] * 10).sources is None
    assert Calibration.of(scores, sources=[""] * 100).sources is None


def test_sources_are_kept():
    before = Calibration.of(np.arange(100.0), sources=["a"] * 50 + ["b"] * 50)
    stored = before.arrays()
    after = Calibration.of(stored["scores"], sources=stored["sources"])
    assert np.array_equal(before.p_range([3.0, 70.0]), after.p_range([3.0, 70.0]))


@given(
    st.lists(st.tuples(finite, names, st.sampled_from([200, 264, 265, 384])), min_size=90),
    finite,
)
def test_crops_are_compared_with_their_kind(entries, score):
    """The slow twin: a calibration of its own for small crops, and one for large ones."""
    scores, sources, sides = _columns(entries)
    calibration = Calibration.of(scores, sources=sources, sides=sides)
    for side in (160, 264, 265, 300):
        mine = [each for each in entries if (each[2] <= 264) == (side <= 264)]
        if min(len(mine), len(entries) - len(mine)) < 38:
            mine = entries  # too few of a kind: all with all
        scores, sources, _ = _columns(mine)
        alone = Calibration.of(scores, sources=sources)
        assert calibration.p_range([score], [side]) == alone.p_range([score])
        compared = calibration.compared_with(side)
        assert compared.p_range([score]) == alone.p_range([score])
        assert np.array_equal(compared.scores, alone.scores)
    stored = calibration.arrays()
    again = Calibration.of(stored.pop("scores"), **stored)
    both = ([score, score], [160, 300])
    assert np.array_equal(again.p_range(*both), calibration.p_range(*both))


def _columns(entries):
    return tuple(map(list, zip(*entries, strict=True)))


def test_the_promise_holds_for_small_and_large_crops():
    rng = np.random.default_rng(0)
    shift = {200: 1.0, 300: -1.0}
    rates = {side: [] for side in shift}
    for _ in range(300):
        sides = np.repeat([200, 300], 99)
        scores = rng.standard_normal(198) + np.vectorize(shift.get)(sides)
        calibration = Calibration.of(scores, sides=sides)
        for side, of_size in rates.items():
            new = shift[side] + rng.standard_normal(50)
            of_size.append((calibration.p_value(new, [side] * 50) <= 0.05).mean())
    for of_size in rates.values():
        assert 0.04 < np.mean(of_size) < 0.055
