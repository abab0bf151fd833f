import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from exiface.calibration import Calibration, CalibrationError

finite = st.integers(-(10**7), 10**7).map(lambda thousandths: thousandths / 1000)


@given(st.lists(finite, min_size=19, max_size=60), finite)
def test_the_slow_twin_agrees(scores, score):
    at_least = sum(round(other, 3) >= round(score, 3) for other in scores)
    expected = (1 + at_least) / (len(scores) + 1)
    assert Calibration.of(scores).p_value(score) == pytest.approx(expected)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_the_promised_false_alarm_rate_is_kept(alpha):
    # 500 calibration sets of 199 photographs, 20 new photographs each, heavy tails.
    rng = np.random.default_rng(0)
    rates = []
    for _ in range(500):
        calibration = Calibration.of(rng.standard_t(2, 199), alpha=alpha)
        rates.append((calibration.p_value(rng.standard_t(2, 20)) <= alpha).mean())
    # With ties impossible the rate is alpha exactly; six standard errors of the mean.
    standard_error = np.std(rates) / np.sqrt(len(rates))
    assert abs(np.mean(rates) - alpha) < 6 * standard_error
    assert standard_error < 0.004


@pytest.mark.parametrize(("alpha", "needed"), [(0.05, 19), (0.01, 99), (0.1, 9)])
def test_as_many_photographs_as_the_rate_needs(alpha, needed):
    calibration = Calibration.of(range(needed), alpha=alpha)
    assert calibration.p_value(needed) <= alpha + 1e-12
    with pytest.raises(CalibrationError, match=f"at least {needed}"):
        Calibration.of(range(needed - 1), alpha=alpha)


def test_nonsense_is_refused():
    with pytest.raises(CalibrationError, match=r"between alpha, 0\.3, and 1"):
        Calibration.of(range(99), alpha=0.3, beta=0.2)
    with pytest.raises(CalibrationError, match="alpha, the false-alarm rate, must lie"):
        Calibration.of(range(99), alpha=0, beta=0.2)
    with pytest.raises(CalibrationError, match="finite"):
        Calibration.of([np.nan] * 99)


few_sources = st.sampled_from(["camera", "scanner"])


@given(st.lists(st.tuples(finite, few_sources), min_size=80, max_size=120), finite)
def test_of_few_sources_the_worst_decides(entries, score):
    scores, sources = [score for score, _ in entries], [name for _, name in entries]
    groups = [[s for s, n in entries if n == name] for name in sorted(set(sources))]
    if min(map(len, groups)) < 38:  # too few of one for a p-value of their own
        groups = [scores]
    each = [(1 + sum(s >= score for s in group)) / (len(group) + 1) for group in groups]
    assert Calibration.of(scores, sources=sources).p_value(score) == pytest.approx(max(each))


@given(
    st.lists(st.tuples(finite, st.integers(0, 24)), min_size=0, max_size=60),
    st.lists(finite, min_size=25, max_size=25),
    finite,
)
def test_of_many_sources_each_weighs_the_same(further, one_each, score):
    """The slow twin: p = (1 + sum of the sources' shares) / (sources + 1), less below alpha."""
    entries = [*further, *((each, source) for source, each in enumerate(one_each))]
    shares = []
    for source in range(25):
        own = [each for each, of in entries if of == source]
        shares.append(sum(each >= score for each in own) / len(own))
    calibration = Calibration.of([e for e, _ in entries], sources=[f"{n}" for _, n in entries])
    assert calibration.by_source
    own = min(1, sum(shares) / (0.05 * 26 - 1))
    expected = max((own + sum(shares)) / 26, 1 / (len(entries) + 1))
    assert calibration.p_value(score) == pytest.approx(min(1, expected))


def test_the_promise_holds_for_a_source_that_nobody_has_seen():
    """Sources differ in level and in size; each new photograph is of a new source."""
    rng = np.random.default_rng(0)
    flagged = []
    for _ in range(400):
        sizes = rng.integers(1, 30, 60)
        level = rng.standard_normal(60)
        sources = np.repeat(np.arange(60), sizes)
        scores = level[sources] + rng.standard_normal(len(sources))
        new = rng.standard_normal(20) + rng.standard_normal(20)
        flagged.append((Calibration.of(scores, sources=sources).p_value(new) <= 0.05).mean())
    assert 0.03 < np.mean(flagged) <= 0.05 + 3 * np.std(flagged) / 20


@pytest.mark.parametrize("spread", [0.3, 1.0])
def test_a_rate_that_the_sources_can_t_prove_is_kept_where_they_differ_as_usual(spread):
    """1 % of 50 sources: p-values below 1 / 51 are estimated."""
    rng = np.random.default_rng(0)
    flagged = []
    for _ in range(400):
        sources = np.repeat(np.arange(50), rng.integers(1, 30, 50))
        scores = spread * rng.standard_normal(50)[sources] + rng.standard_normal(len(sources))
        calibration = Calibration.of(scores, alpha=0.01, sources=sources)
        new = spread * rng.standard_normal(200) + rng.standard_normal(200)
        flagged.append((calibration.p_value(new) <= 0.01).mean())
    assert not calibration.proven
    assert calibration.promised.startswith("an estimated ")
    assert f"{calibration.number_of_sources} sources prove rates down to" in calibration.caution
    assert "prove rates down to 2.0 %" in calibration.counted
    assert 0.003 < np.mean(flagged) <= 0.01


@given(st.integers(20, 120), st.sampled_from([0.01, 0.02, 0.05, 0.1]))
def test_what_sources_prove_is_untouched_by_what_is_estimated(number, alpha):
    """From alpha upwards the p-value is the hierarchical one; below, it still falls."""
    scores = np.arange(10.0 * number)
    calibration = Calibration.of(scores, sources=np.arange(10 * number) % number, alpha=alpha)
    new = np.arange(10.0 * number + 1)
    hierarchical = (1 + (10 * number - new) / 10) / (number + 1)
    found = calibration.p_value(new)
    assert (np.diff(found) < 0).all()
    if calibration.proven:
        assert np.array_equal(found <= alpha + 1e-9, hierarchical <= alpha + 1e-9)
        upper = hierarchical >= max(alpha, 2 / (number + 1))
        assert found[upper] == pytest.approx(hierarchical[upper])
    assert (found <= hierarchical + 1e-12).all()


def test_the_same_score_on_another_machine_gets_the_same_p_value():
    scores = np.arange(1, 40) / 10
    exact = Calibration.of(scores)
    noisy = Calibration.of(scores + 4e-4 * (-1) ** np.arange(39))
    for score in scores:
        for other in (score, score - 4e-4, score + 4e-4):
            assert exact.p_value(other) == noisy.p_value(other) == exact.p_value(score)


def test_small_sources_are_taken_together():
    def units(*sizes):
        sources = np.repeat([f"{number}" for number in range(len(sizes))], sizes)
        references = Calibration.of(np.arange(100.0), sources=sources).references
        return sorted(reference.units for reference in references)

    assert units(60, 20, 20) == [40, 60]
    assert units(60, 38, 2) == [40, 60]
    assert units(90, 10) == [100]
    assert units(100) == [100]


def test_a_photograph_that_is_scored_in_several_forms_counts_once():
    scores, forms = np.arange(21.0), np.repeat([0, 1, 2], 7)
    with pytest.raises(CalibrationError, match="7 calibration photographs"):
        Calibration.of(scores, forms=forms)
    three = Calibration.of(np.tile(np.arange(40.0), 3), forms=np.repeat([0, 1, 2], 40))
    assert three.photographs == 40
    assert three.p_value(100.0) == 1 / 41
    # The form that looks most unusual by itself decides.
    shifted = np.concatenate([np.arange(40.0), np.arange(40.0) + 10])
    of_two = Calibration.of(shifted, forms=np.repeat([0, 1], 40))
    assert of_two.p_value(45.0) == (1 + 5) / 41


@pytest.mark.parametrize("number", [1, 2, 30])
def test_what_is_stored_gives_the_same_p_values(number):
    rng = np.random.default_rng(1)
    before = Calibration.of(rng.normal(size=120), sources=np.arange(120) % number)
    after = Calibration.of(**before.arrays())
    new = rng.normal(size=50)
    assert np.array_equal(before.p_value(new), after.p_value(new))


@pytest.mark.parametrize(("number", "alpha"), [(19, 0.05), (60, 0.2), (75, 0.05), (25_000, 0.2)])
def test_the_interval_of_the_true_rate_is_that_of_the_beta_law(number, alpha):
    flagged = max(1, math.floor(alpha * (number + 1) + 1e-9))
    law = beta(flagged, number + 1 - flagged)
    calibration = Calibration.of(np.arange(number), alpha=alpha, beta=0.5)
    assert calibration.true_rate() == pytest.approx((law.ppf(0.025), law.ppf(0.975)), abs=1e-9)
