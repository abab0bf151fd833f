from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exiface.apps.page import standing
from exiface.calibration import Calibration, GeneratedFaces, Judge, Verdict
from exiface.detector import Judgement


def parts(calibration, generated=None):
    return SimpleNamespace(judge=Judge(calibration, generated))


@given(st.integers(-(10**6), 10**6), st.sampled_from([0, 50]), st.booleans())
def test_the_marker_stays_in_the_plot(score, spread, with_generated):
    rng = np.random.default_rng(0)
    calibration = Calibration.of(rng.standard_t(2, 99) * spread)
    generated = GeneratedFaces.of(rng.uniform(0.01, 1, 50), ["a"] * 50)
    p_value = float(calibration.p_value(score))
    shown = parts(calibration, generated if with_generated else None)
    face = Judgement((0, 0, 1, 1), score, p_value, shown.judge.verdict_at(p_value))
    plot = standing(shown, face)
    assert 0 <= plot["marker"] <= plot["width"]
    assert bool(plot["generated"]) == with_generated
    # Each kind is a share of its own: the one does not make the other's bars small.
    for bars in filter(None, (plot["bars"], plot["generated"])):
        assert max(bar["height"] for bar in bars) == plot["height"]
    for bar in plot["bars"] + plot["generated"]:
        assert 0 < bar["height"] <= plot["height"]
        assert bar["x"] + bar["width"] <= plot["width"]
        assert bar["band"] in set(Verdict)
