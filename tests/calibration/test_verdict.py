import pytest
from hypothesis import given
from hypothesis import strategies as st

from exiface.calibration import Calibration, GeneratedFaces, Verdict, verdict_of
from exiface.calibration.verdict import earned

CALIBRATION = Calibration.of(range(99))
GENERATED = GeneratedFaces.of([0.01] * 9 + [0.8], ["a"] * 10, [224] * 10)


@pytest.mark.parametrize(
    ("p_value", "verdict"),
    [
        (0.0499, Verdict.AI_GENERATED),
        (0.05, Verdict.AI_GENERATED),
        (0.0501, Verdict.UNSURE),
        (0.1999, Verdict.UNSURE),
        (0.2, Verdict.NOTHING_FOUND),
        (1.0, Verdict.NOTHING_FOUND),
    ],
)
def test_bands_without_generated_faces(p_value, verdict):
    assert verdict_of(p_value, CALIBRATION) == verdict


@given(
    st.lists(st.integers(1, 100), min_size=1, max_size=40),
    st.integers(1, 100),
    st.integers(1, 4),
)
def test_photographic_is_said_only_where_it_is_earned(numerators, numerator, families):
    values = [each / 100 for each in numerators]
    names = [f"family {number % families}" for number in range(len(values))]
    generated = GeneratedFaces.of(values, names, [224] * len(values))
    p_value = numerator / 100
    verdict = verdict_of(p_value, CALIBRATION, generated)
    if verdict is Verdict.PHOTOGRAPHIC:
        assert generated.share_as_usual(p_value) <= 0.1
    elif verdict is Verdict.UNSURE:
        assert p_value > 0.05
        assert p_value < generated.photographic_from
        assert all(generated.share_as_usual(v) > 0.1 for v in values if v <= p_value)
    else:
        assert verdict is Verdict.AI_GENERATED
        assert p_value <= 0.05


def test_what_earns_it_in_words():
    assert earned(CALIBRATION, GENERATED) == "photographic at p >= 0.8"
    never = GeneratedFaces.of([1.0] * 10, ["a"] * 10, [224] * 10)
    assert earned(CALIBRATION, never) == "photographic never"
    assert verdict_of(1.0, CALIBRATION, never) is Verdict.UNSURE
