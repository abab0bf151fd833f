import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_sets import scored
from scipy.stats import beta
from sklearn.metrics import auc, average_precision_score, roc_auc_score, roc_curve

from exiface.evaluation import clopper_pearson
from exiface.evaluation.evidence_metrics import cllr, cllr_min, evidence_table
from exiface.evaluation.metrics import measure
from exiface.evaluation.plots import tippett
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

    def measured(real, fake):
        labels = np.repeat([0, 1], [len(real), len(fake)])
        scores = np.concatenate([real, fake])
        false_alarms, recalls, _ = roc_curve(labels, scores, drop_intermediate=False)
        return auc(false_alarms, recalls), recalls[false_alarms <= 0.05].max()

    def by_photo(of):
        return [of.scores[of.photos == photo] for photo in np.unique(of.photos)]

    def draw(photos):
        return np.concatenate([photos[each] for each in rng.integers(0, len(photos), len(photos))])

    reals, fakes = by_photo(real), by_photo(fake)
    resampled = [measured(draw(reals), draw(fakes)) for _ in range(resamples)]
    return np.quantile(resampled, [0.025, 0.975], axis=0).T


def test_the_slow_twin_agrees():
    rng = np.random.default_rng(0)
    photos = np.repeat(np.arange(40), 5)
    of_photo = rng.normal(size=40)[photos]
    # Rounded: ties must count alike.
    real = sample((of_photo + rng.normal(0, 0.3, len(photos))).round(1), photos)
    fake = sample((of_photo + rng.normal(1, 0.3, len(photos))).round(1), photos)
    aucs, recalls = slow_bootstrap(real, fake, 400, rng)
    fast = bootstrap(real, fake, resamples=3000)
    assert (fast.auc_low, fast.auc_high) == pytest.approx(aucs, abs=0.015)
    recall = (fast.recall_at_5_low, fast.recall_at_5_high)
    assert recall == pytest.approx(recalls, abs=0.07)


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


NAN = float("nan")


def slow_cllr(real, fake):
    """Equation 13 of Brümmer and du Preez 2006, one ratio after another."""
    of_fake = sum(0.0 if ratio == math.inf else math.log2(1 + 1 / ratio) for ratio in fake)
    of_real = sum(math.log2(1 + ratio) for ratio in real)
    return (of_fake / len(fake) + of_real / len(real)) / 2


def slow_cllr_min(real, fake):
    """The least over every way to cut the order into blocks whose ratios never fall."""
    values = sorted({*real, *fake})
    least = math.inf
    for cuts in range(2 ** (len(values) - 1)):
        blocks, block = [], [values[0]]
        for place, value in enumerate(values[1:]):
            if cuts >> place & 1:
                blocks.append(block)
                block = []
            block.append(value)
        blocks.append(block)
        ratios = {}
        for block in blocks:
            of_fake = sum(each in block for each in fake) / len(fake)
            of_real = sum(each in block for each in real) / len(real)
            ratio = of_fake / of_real if of_real else math.inf
            ratios |= dict.fromkeys(block, ratio)
        ordered = [ratios[value] for value in values]
        if ordered == sorted(ordered):
            least = min(
                least, slow_cllr([ratios[each] for each in real], [ratios[each] for each in fake])
            )
    return least


SMALL = st.lists(st.sampled_from([0.1, 0.5, 1.0, 2.0, 3.0, 9.0]), min_size=1, max_size=7)


@given(SMALL, SMALL)
def test_as_slow_twins_have_it(real, fake):
    assert cllr(real, fake) == pytest.approx(slow_cllr(real, fake))
    assert cllr_min(real, fake) == pytest.approx(slow_cllr_min(real, fake), abs=1e-9)
    assert cllr_min(real, fake) <= min(1, cllr(real, fake)) + 1e-9


def test_ratios_of_two_gaussians_are_calibrated():
    """Of N(0, 1) and N(2, 1) the log ratio is 2 x - 2; nothing is gained by calibration."""
    rng = np.random.default_rng(0)
    real, fake = (np.exp(2 * rng.normal(mean, 1, 20_000) - 2) for mean in (0, 2))
    assert cllr(real, fake) - cllr_min(real, fake) == pytest.approx(0, abs=0.01)
    sets = [with_ratios("real", "A", real), with_ratios("fake", "A", fake)]
    rows = evidence_table(sets)
    assert [row.mean_odds for row in rows] == pytest.approx([1, 1], abs=0.15)
    # Twice the log ratio says too much.
    assert cllr(real**2, fake**2) > cllr(real, fake) + 0.05
    assert cllr_min(real**2, fake**2) == pytest.approx(cllr_min(real, fake))


def with_ratios(kind, name, ratios, **more):
    return replace(scored(kind, name, np.arange(len(ratios)), **more), ratios=np.array(ratios))


def test_every_set_has_its_row_and_its_own_photographs():
    sets = [
        with_ratios("fake", "A/x", [4, 0.5], p_values=[0.01, 0.5]),
        with_ratios("real", "A", [0.25, 2, NAN, 0.25]),
        with_ratios("real", "B", [1, 1]),
        with_ratios("fake", "other", [8]),
        scored("real", "C", [1, 2]),
    ]
    rows = evidence_table(sets)
    assert [(row.kind, row.name, row.against, row.images) for row in rows] == [
        ("real", "A", "", 3),
        ("real", "B", "", 2),
        ("fake", "A/x", "A", 2),
        ("fake", "other", "all", 1),
    ]
    a, _, x, other = rows
    assert (a.cllr, a.flagged, x.flagged) == (None, None, 0.5)
    assert (a.mean_odds, x.mean_odds) == (pytest.approx(2.5 / 3), pytest.approx((0.25 + 2) / 2))
    assert (a.misleading, x.misleading) == (pytest.approx(1 / 3), 0.5)
    assert x.cllr == pytest.approx(cllr([0.25, 2, 0.25], [4, 0.5]))
    assert other.cllr == pytest.approx(cllr([0.25, 2, 0.25, 1, 1], [8]))
    assert evidence_table([scored("real", "C", [1, 2])]) == []
    assert "<svg" in tippett(sets)
