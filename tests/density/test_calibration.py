import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exiface.density import Calibration, CalibrationError, Verdict

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


@pytest.mark.parametrize(
    ("p_value", "verdict"),
    [
        (0.0499, Verdict.AI_GENERATED),
        (0.05, Verdict.AI_GENERATED),
        (0.0501, Verdict.UNSURE),
        (0.1999, Verdict.UNSURE),
        (0.2, Verdict.PHOTOGRAPHIC),
        (1.0, Verdict.PHOTOGRAPHIC),
    ],
)
def test_bands(p_value, verdict):
    assert Calibration.of(range(99)).verdict(p_value) == verdict


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
