import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from exiface.errors import UserError
from exiface.evaluation.metrics import measure
from exiface.evaluation.sets import Sample
from exiface.evaluation.uncertainty import bootstrap, delong


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


def test_a_detector_equals_itself():
    compared = delong(np.array([[1, 2, 3.0]] * 2), np.array([[2, 4.0]] * 2))
    assert (compared.difference, compared.p_value) == (0, 1)


def test_one_image_is_not_enough():
    with pytest.raises(UserError, match="two images of each class"):
        delong(np.zeros((2, 1)), np.zeros((2, 5)))
