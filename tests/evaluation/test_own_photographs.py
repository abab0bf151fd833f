import numpy as np
import pytest
from made_sets import calibrated, scored

from exiface.calibration import Calibration
from exiface.detector import Detector
from exiface.evaluation import judge
from exiface.evaluation.own_photographs import encode_sets, own_table
from exiface.scoring import GaussianMixture


def test_recalibrating_restores_a_promise_that_another_source_broke():
    rng = np.random.default_rng(0)
    calibration = Calibration.of(rng.normal(size=500))
    sets = [
        calibrated("real", "A", rng.normal(1.5, 1, 600), calibration),
        calibrated("fake", "A/x", rng.normal(4, 1, 100), calibration),
    ]
    as_it_is, recalibrated = own_table(sets)
    assert (as_it_is.how, recalibrated.how) == ("as it is", "recalibrated")
    assert as_it_is.false_alarms > 0.3
    assert recalibrated.own == 200
    assert recalibrated.low <= recalibrated.false_alarms <= recalibrated.high
    assert recalibrated.false_alarms == pytest.approx(0.05, abs=0.015)
    assert as_it_is.recall > recalibrated.recall > 0.5


def test_refitting_learns_another_source():
    rng = np.random.default_rng(0)
    features = {
        "real:A": rng.normal(3, 1, (300, 6)).astype(np.float32),
        "fake:A/x": rng.normal(0, 1, (50, 6)).astype(np.float32),
    }
    # To the shipped density, which knows photographs about 0, these generated faces are usual.
    sets = [
        scored("real", "A", (features["real:A"] ** 2).sum(1)),
        scored("fake", "A/x", (features["fake:A/x"] ** 2).sum(1)),
    ]
    recalibrated, refitted = own_table(sets, features, scorer=GaussianMixture())
    assert (recalibrated.how, refitted.how) == ("recalibrated", "refitted")
    assert refitted.own == 150
    assert recalibrated.recall < 0.1
    assert refitted.recall > 0.9
    assert refitted.false_alarms == pytest.approx(0.05, abs=0.03)


def test_what_too_few_photographs_can_not_promise_is_left_out():
    rng = np.random.default_rng(0)
    features = {"real:A": rng.normal(size=(60, 3)).astype(np.float32)}
    sets = [scored("real", "A", rng.normal(size=60))]
    assert [row.how for row in own_table(sets, features, scorer=GaussianMixture())] == [
        "recalibrated"
    ]
    assert own_table(sets, features, alpha=0.01) == []


def test_features_are_those_of_the_largest_face(photos, tmp_path):
    for name in ("0/00.jpg", "1/01.jpg", "landscape.png"):
        (tmp_path / name.split("/")[-1]).write_bytes((photos / name).read_bytes())
    detector = Detector.load()
    [real] = judge(detector, {"A": tmp_path}, {})
    features = encode_sets(detector, [real])["real:A"]
    assert np.isnan(features[2]).all()
    scores = detector.parts.scorer.score(features[:2])
    assert scores == pytest.approx(real.scores["original"][:2], abs=0.01)
