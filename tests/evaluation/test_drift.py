import numpy as np
import pytest

from exiface.calibration import Calibration
from exiface.errors import UserError
from exiface.evaluation.drift import measure_drift


def drifts(shift, seeds=100, calibrated=200, recent=400, alpha=0.05):
    found = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        calibration = Calibration.of(rng.normal(size=calibrated), alpha=alpha)
        p_values = calibration.p_value(rng.normal(shift, size=recent))
        found.append(measure_drift(p_values, calibrated, alpha))
    return found


def test_without_drift_it_seldom_cries():
    """At a level of 1 % each; the calibration's own size must be allowed for."""
    found = drifts(0.0)
    assert np.mean([each.broken for each in found]) <= 0.025
    assert np.mean([each.drifted for each in found]) <= 0.04
    assert np.mean([each.flagged for each in found]) == pytest.approx(0.05, abs=0.01)
    # What would happen if the calibration were taken for the truth:
    assert np.mean([each.low > 0.05 for each in found]) > 0.05


def test_drift_is_found_and_its_direction_said():
    found = drifts(0.5, seeds=40)
    assert np.mean([each.drifted for each in found]) > 0.95
    assert "exiface calibrate" in found[0].sentence()
    usual = drifts(-0.6, seeds=20)
    assert np.mean([each.drifted for each in usual]) > 0.9
    assert not any(each.broken for each in usual)
    assert "more usual" in usual[0].sentence()
    assert "still fits" in drifts(0, seeds=1)[0].sentence()


@pytest.mark.parametrize(
    ("p_values", "reason"),
    [(np.full(19, 0.5), "at least 20"), (np.zeros(30), "must lie"), (np.full(30, 2), "must lie")],
)
def test_what_says_nothing_is_refused(p_values, reason):
    with pytest.raises(UserError, match=reason):
        measure_drift(p_values, 100, 0.05)


def test_of_several_sources_only_more_unusual_photographs_are_drift():
    found = {}
    for shift in (-1.0, 0.0, 1.0):
        drifted = []
        for seed in range(30):
            rng = np.random.default_rng(seed)
            scores = np.r_[rng.normal(size=200), rng.normal(-1, size=200)]
            calibration = Calibration.of(scores, sources=["a"] * 200 + ["b"] * 200)
            p_values = calibration.p_value(rng.normal(shift, size=300))
            drifted.append(measure_drift(p_values, 200, 0.05, worst_of_several=True).drifted)
        found[shift] = np.mean(drifted)
    assert found[-1.0] == 0
    assert found[0.0] <= 0.05
    assert found[1.0] == 1
