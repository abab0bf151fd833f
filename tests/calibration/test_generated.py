from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exiface.calibration import Calibration, CalibrationError, GeneratedFaces
from exiface.calibration.generated import BANDS, band_of, likelihood_ratios


@given(
    st.lists(
        st.tuples(st.integers(1, 50), st.sampled_from("abc")),
        min_size=1,
        max_size=60,
    ),
    st.integers(1, 50),
)
def test_families_weigh_the_same(faces, numerator):
    """Against a slow twin: the mean over families of the share within each."""
    values = [number / 50 for number, _ in faces]
    names = [name for _, name in faces]
    generated = GeneratedFaces.of(values, names, [224] * len(faces))
    threshold = numerator / 50
    shares = []
    for family in sorted(set(names)):
        own = [value for value, name in zip(values, names, strict=True) if name == family]
        shares.append(sum(value >= threshold for value in own) / len(own))
    assert generated.share_as_usual(threshold) == pytest.approx(sum(shares) / len(shares))
    repeated = GeneratedFaces.of(values * 3, names * 3, [224] * len(faces) * 3)
    assert repeated.share_as_usual(threshold) == pytest.approx(generated.share_as_usual(threshold))


def test_small_and_large_crops_are_looked_at_alone_where_there_are_enough():
    values, sides = [0.1] * 40 + [0.9] * 40, [200] * 40 + [300] * 40
    generated = GeneratedFaces.of(values, ["a"] * 80, sides)
    assert generated.compared_with(200).share_as_usual(0.5) == 0
    assert generated.compared_with(300).share_as_usual(0.5) == 1
    few = GeneratedFaces.of(values[:50], ["a"] * 50, sides[:50])
    assert few.compared_with(300) is few


@pytest.mark.parametrize(
    ("p_values", "families", "sides"),
    [([], [], []), ([0.5], ["a", "b"], [1]), ([0.0], ["a"], [1]), ([1.5], ["a"], [1])],
)
def test_what_are_no_p_values_is_refused(p_values, families, sides):
    with pytest.raises(CalibrationError, match="generated faces"):
        GeneratedFaces.of(p_values, families, sides)


def test_arrays_restore_it():
    generated = GeneratedFaces.of([0.1, 0.5], ["b", "a"], [224, 300])
    again = GeneratedFaces.from_arrays(generated.arrays())
    assert again.share_as_unusual(0.2) == generated.share_as_unusual(0.2) == 0.5
    with pytest.raises(CalibrationError, match="generated faces have"):
        GeneratedFaces.from_arrays({"p_values": np.ones(1)})


def test_likelihood_ratios_of_a_known_mixture():
    """Half of the generated faces lie among the most unusual twentieth of photographs."""
    rng = np.random.default_rng(0)
    calibration = Calibration.of(rng.normal(size=2000))
    faces = np.concatenate([np.full(500, 0.02), rng.uniform(0.06, 1, 500)])
    names = np.tile(list("abcde"), 200)
    ratios = likelihood_ratios(calibration, GeneratedFaces.of(faces, names, [224] * 1000))
    first = ratios[band_of(0.02)]
    assert first.ratio == pytest.approx(0.5 / 0.05, rel=0.05)
    assert first.low < first.ratio < first.high
    assert [ratio.band for ratio in ratios] == [*pairwise(BANDS)]
    again = likelihood_ratios(calibration, GeneratedFaces.of(faces, names, [224] * 1000))
    assert again == ratios
    one = likelihood_ratios(
        calibration, GeneratedFaces.of(faces[400:520], names[:120], [224] * 120)
    )
    assert one[0].high / one[0].low > first.high / first.low


@given(st.floats(1e-6, 1))
def test_every_p_value_has_its_band(p_value):
    band = band_of(p_value)
    assert BANDS[band] < p_value <= BANDS[band + 1] or p_value == 0
