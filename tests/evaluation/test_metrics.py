import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta
from sklearn.metrics import average_precision_score, roc_auc_score

from exiface.evaluation import clopper_pearson
from exiface.evaluation.metrics import measure
from exiface.evaluation.sets import Sample
from exiface.evaluation.uncertainty import bootstrap, delong

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


def sample(scores, photos=None):
    scores = np.asarray(scores, float)
    photos = np.arange(len(scores)) if photos is None else photos
    return Sample(scores, np.asarray(photos).astype(str))


def slow_bootstrap(real, fake, resamples, rng):
    """Draw photographs one by one, and measure each resample by scikit-learn."""

    def by_photo(of):
        return [of.scores[of.photos == photo] for photo in np.unique(of.photos)]

    def draw(photos):
        return np.concatenate([photos[each] for each in rng.integers(0, len(photos), len(photos))])

    reals, fakes = by_photo(real), by_photo(fake)
    measured = [measure(draw(reals), draw(fakes)) for _ in range(resamples)]
    return {
        name: np.quantile([getattr(each, name) for each in measured], [0.025, 0.975])
        for name in ("auc", "recall_at_5")
    }


def test_the_slow_twin_agrees():
    rng = np.random.default_rng(0)
    photos = np.repeat(np.arange(40), 5)
    of_photo = rng.normal(size=40)[photos]
    # Rounded: ties must count alike.
    real = sample((of_photo + rng.normal(0, 0.3, len(photos))).round(1), photos)
    fake = sample((of_photo + rng.normal(1, 0.3, len(photos))).round(1), photos)
    slow = slow_bootstrap(real, fake, 400, rng)
    fast = bootstrap(real, fake, resamples=3000)
    assert fast.auc == pytest.approx(slow["auc"], abs=0.015)
    assert fast.recall_at_5 == pytest.approx(slow["recall_at_5"], abs=0.07)


scores = st.lists(st.integers(-4, 4), min_size=2, max_size=20)


@given(scores, scores)
def test_delong_has_the_auc_and_the_variance_of_the_slow_twin(real, fake):
    compared = delong(np.array([real, np.negative(real)]), np.array([fake, np.zeros(len(fake))]))
    labels = np.repeat([0, 1], [len(real), len(fake)])
    assert compared.auc == pytest.approx(roc_auc_score(labels, real + fake))
    kernel = np.array([[(f > r) + 0.5 * (f == r) for r in real] for f in fake])
    other = np.array([[(r > 0) + 0.5 * (r == 0) for r in real] for _ in fake])
    difference = kernel - other
    variance = difference.mean(1).var(ddof=1) / len(fake) + difference.mean(0).var(ddof=1) / len(
        real
    )
    assert compared.difference == pytest.approx(difference.mean(), abs=1e-9)
    assert (compared.high - compared.low) / 2 == pytest.approx(1.959964 * variance**0.5, abs=1e-6)
