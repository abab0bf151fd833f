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

    def draw(of):
        photos = np.unique(of.photos)
        chosen = rng.choice(photos, len(photos))
        return np.concatenate([of.scores[of.photos == photo] for photo in chosen])

    measured = [measure(draw(real), draw(fake)) for _ in range(resamples)]
    return {
        name: np.quantile([getattr(each, name) for each in measured], [0.025, 0.975])
        for name in ("auc", "recall_at_5")
    }


@pytest.mark.parametrize("images_a_photo", [1, 5])
def test_the_slow_twin_agrees(images_a_photo):
    rng = np.random.default_rng(0)
    photos = np.repeat(np.arange(40), images_a_photo)
    of_photo = rng.normal(size=40)[photos]
    # Rounded: ties must count alike.
    real = sample((of_photo + rng.normal(0, 0.3, len(photos))).round(1), photos)
    fake = sample((of_photo + rng.normal(1, 0.3, len(photos))).round(1), photos)
    slow = slow_bootstrap(real, fake, 400, rng)
    fast = bootstrap(real, fake, resamples=3000)
    assert (fast.auc_low, fast.auc_high) == pytest.approx(slow["auc"], abs=0.015)
    recall = (fast.recall_at_5_low, fast.recall_at_5_high)
    assert recall == pytest.approx(slow["recall_at_5"], abs=0.07)


def test_images_of_one_photograph_widen_the_interval():
    rng = np.random.default_rng(0)
    photos = np.repeat(np.arange(30), 6)
    real, fake = rng.normal(size=30)[photos], rng.normal(1, 1, 30)[photos]
    grouped = bootstrap(sample(real, photos), sample(fake, photos))
    alone = bootstrap(sample(real), sample(fake))
    assert grouped.auc_high - grouped.auc_low > 1.5 * (alone.auc_high - alone.auc_low)


def test_resamples_are_seeded():
    rng = np.random.default_rng(0)
    real, fake = sample(rng.normal(size=30)), sample(rng.normal(size=30))
    assert bootstrap(real, fake) == bootstrap(real, fake)
    assert bootstrap(real, fake, seed=1) != bootstrap(real, fake, seed=2)


def test_perfect_separation_has_no_spread():
    found = bootstrap(sample([1, 2, 3]), sample([4, 5]))
    assert (found.auc_low, found.auc_high) == (1, 1)
    assert (found.recall_at_5_low, found.recall_at_5_high) == (1, 1)


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
