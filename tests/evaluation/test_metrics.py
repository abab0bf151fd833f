import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta
from sklearn.metrics import average_precision_score, roc_auc_score

from exiface.evaluation import clopper_pearson, measure

scores = st.lists(st.integers(-5, 5), min_size=1, max_size=30)


@given(scores, scores)
def test_the_slow_twins_agree(real, fake):
    metrics = measure(real, fake)
    wins = [1.0 if f > r else 0.5 if f == r else 0.0 for f in fake for r in real]
    assert metrics.auc == pytest.approx(sum(wins) / len(wins))
    for share, recall in ((0.05, metrics.recall_at_5), (0.01, metrics.recall_at_1)):
        best = 0.0
        for threshold in {*real, *fake}:
            if sum(r >= threshold for r in real) / len(real) <= share:
                best = max(best, sum(f >= threshold for f in fake) / len(fake))
        assert recall == pytest.approx(best)


def test_both_average_precisions():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(0, 1, 80), rng.normal(1, 1, 40)
    metrics = measure(real, fake)
    labels, both = np.r_[np.zeros(80), np.ones(40)], np.r_[real, fake]
    assert metrics.auc == roc_auc_score(labels, both)
    assert metrics.ap_generated == average_precision_score(labels, both)
    assert metrics.ap_photographic == average_precision_score(1 - labels, -both)
    swapped = measure(-fake, -real)
    assert swapped.ap_generated == pytest.approx(metrics.ap_photographic)


@given(st.integers(1, 300), st.data())
def test_intervals_follow_from_the_beta_distribution(total, data):
    count = data.draw(st.integers(0, total))
    low, high = clopper_pearson(count, total)
    assert low == pytest.approx(beta.ppf(0.025, count, total - count + 1) if count else 0, abs=1e-6)
    rest = total - count
    assert high == pytest.approx(beta.ppf(0.975, count + 1, rest) if rest else 1, abs=1e-6)
