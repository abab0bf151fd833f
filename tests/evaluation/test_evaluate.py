import numpy as np
import pytest

from exiface.density import Verdict
from exiface.evaluation.evaluate import Judged, tabulate
from exiface.evaluation.metrics import measure


def judged(scores, flagged=0, unsure=0, no_verdict=0):
    rest = len(scores) - flagged - unsure
    verdicts = (
        [Verdict.AI_GENERATED] * flagged + [Verdict.UNSURE] * unsure + [Verdict.PHOTOGRAPHIC] * rest
    )
    return Judged(np.array(scores, float), verdicts, no_verdict)


SETS = {
    ("real", "A"): judged([1, 2, 3, 4], flagged=1, no_verdict=2),
    ("real", "B"): judged([5, 6, 7, 8]),
    ("fake", "A/one"): judged([4, 5, 6], flagged=2, unsure=1),
    ("fake", "B"): judged([7, 9], flagged=1),
    ("fake", "other"): judged([0, 10]),
}


def test_every_set_has_its_row():
    assert [(row.kind, row.name) for row in tabulate(SETS)] == [
        *SETS,
        ("mean", "of 3 fake sets"),
    ]


def test_real_sets_have_rates_with_intervals():
    real = tabulate(SETS)[0]
    assert (real.kind, real.name, real.images, real.no_verdict) == ("real", "A", 4, 2)
    assert real.flagged == 0.25
    assert real.flagged_low < 0.25 < real.flagged_high
    assert real.auc is None


def test_fake_sets_are_compared_with_their_own_photographs():
    fakes = {row.name: row for row in tabulate(SETS) if row.kind == "fake"}
    assert [(row.name, row.against) for row in fakes.values()] == [
        ("A/one", "A"),
        ("B", "B"),
        ("other", "all"),
    ]
    assert fakes["A/one"].auc == measure([1, 2, 3, 4], [4, 5, 6]).auc
    assert fakes["other"].auc == measure([1, 2, 3, 4, 5, 6, 7, 8], [0, 10]).auc
    assert fakes["A/one"].flagged == pytest.approx(2 / 3)
    assert fakes["A/one"].unsure == pytest.approx(1 / 3)


def test_the_mean_runs_over_the_fake_sets():
    rows = tabulate(SETS)
    fakes = [row for row in rows if row.kind == "fake"]
    mean = rows[-1]
    assert mean.kind == "mean"
    assert mean.auc == pytest.approx(np.mean([row.auc for row in fakes]))
    assert mean.images == 7
    assert mean.flagged_low is None


def test_without_photographs_there_are_rates_only():
    [row] = tabulate({("fake", "x"): judged([1, 2], flagged=2)})
    assert row.flagged == 1
    assert row.auc is None
