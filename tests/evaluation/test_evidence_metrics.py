import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_sets import scored

from exiface.errors import UserError
from exiface.evaluation.evidence_metrics import cllr, cllr_min, evidence_table
from exiface.evaluation.plots import tippett

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


@pytest.mark.parametrize(("real", "fake"), [([], [1]), ([1], []), ([-1], [1]), ([1], [NAN])])
def test_what_is_no_ratio_is_refused(real, fake):
    with pytest.raises(UserError, match="need likelihood ratios"):
        cllr(real, fake)
