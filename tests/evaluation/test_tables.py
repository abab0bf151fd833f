import numpy as np
import pytest
from made_sets import calibrated, scored

from exiface.calibration import Calibration
from exiface.errors import UserError
from exiface.evaluation.metrics import measure
from exiface.evaluation.sets import comparisons
from exiface.evaluation.tables import against_table, false_alarm_table, main_table, sweep_table

NAN = float("nan")
SETS = [
    scored("real", "A", [1, 2, NAN, 3, 4, NAN], p_values=[0.04, 0.5, NAN, 0.1, 0.2, NAN]),
    scored("real", "B", [5, 6, 7, 8], p_values=[0.3] * 4),
    scored("fake", "A/one", [4, 5, 6], p_values=[0.01, 0.05, 0.19]),
    scored("fake", "B", [7, 9], p_values=[0.01, 0.5]),
    scored("fake", "other", [0, 10], p_values=[0.9, 0.01]),
]


def test_real_sets_have_rates_with_intervals():
    real = main_table(SETS)[0]
    assert (real.images, real.no_verdict) == (4, 2)
    assert (real.flagged, real.unsure) == (0.25, 0.25)
    assert real.flagged_low < 0.25 < real.flagged_high
    assert real.auc is None


def test_fake_sets_are_compared_with_their_own_photographs():
    rows = main_table(SETS)
    fakes = {row.name: row for row in rows if row.kind == "fake"}
    assert {name: row.against for name, row in fakes.items()} == {
        "A/one": "A",
        "B": "B",
        "other": "all",
    }
    assert [each.against for each in comparisons(SETS)] == ["A", "B", "all"]
    assert fakes["A/one"].auc == measure([1, 2, 3, 4], [4, 5, 6]).auc
    assert fakes["other"].auc == measure([1, 2, 3, 4, 5, 6, 7, 8], [0, 10]).auc
    assert fakes["A/one"].flagged == pytest.approx(2 / 3)
    assert fakes["A/one"].unsure == pytest.approx(1 / 3)
    assert fakes["A/one"].auc_low <= fakes["A/one"].auc <= fakes["A/one"].auc_high
    mean = rows[-1]
    assert mean.auc == pytest.approx(np.mean([row.auc for row in fakes.values()]))
    assert mean.images == 7
    assert mean.flagged_low is mean.auc_low is None


def test_the_sweep_counts_what_is_lost():
    sets = [
        scored("real", "A", [1, 2, 3, 4], blur=[1, 2, 3, NAN]),
        scored("fake", "A/x", [5, 6], blur=[0, 2.5]),
        scored("fake", "A/y", [5, 0], blur=[5, 0]),
    ]
    table = sweep_table(sets)
    names = ("A", "A/x", "A/y", "of 2 fake sets")
    assert [(row.condition, row.name) for row in table] == [
        (condition, name) for condition in ("original", "blur") for name in names
    ]
    rows = {(row.condition, row.name): row for row in table}
    assert (rows["blur", "A"].images, rows["blur", "A"].auc) == (3, None)
    assert rows["original", "A/x"].auc_lost == 0
    assert rows["blur", "A/x"].auc == measure([1, 2, 3], [0, 2.5]).auc
    assert rows["blur", "A/x"].auc_lost == pytest.approx(1 - rows["blur", "A/x"].auc)
    both = [rows["blur", name].auc for name in ("A/x", "A/y")]
    assert rows["blur", "of 2 fake sets"].auc == pytest.approx(np.mean(both))


def test_a_broken_promise_is_seen():
    rng = np.random.default_rng(0)
    calibration = Calibration.of(rng.normal(size=500))
    rows = false_alarm_table([calibrated("real", "x", rng.normal(1, 1, 500), calibration)])
    assert not any(row.kept for row in rows)
    rows = false_alarm_table([calibrated("real", "x", rng.normal(size=500), calibration)])
    assert all(row.kept for row in rows)


def test_two_detectors_are_compared_on_images_that_both_judged():
    ours = [scored("real", "A", [1, 2, NAN, 3]), scored("fake", "A", [2, 4, 5])]
    theirs = [scored("real", "A", [1, NAN, 2, 9]), scored("fake", "A", [0, 4, 5])]
    [row] = against_table(ours, theirs)
    assert row.images == 5
    assert row.auc == pytest.approx(measure([1, 3], [2, 4, 5]).auc)
    assert row.auc_other == pytest.approx(measure([1, 9], [0, 4, 5]).auc)
    assert row.low <= row.difference <= row.high
    assert row.difference == pytest.approx(row.auc - row.auc_other)
    with pytest.raises(UserError, match="named alike"):
        against_table(ours, [scored("real", "B", [1]), scored("fake", "A", [2, 4, 5])])
