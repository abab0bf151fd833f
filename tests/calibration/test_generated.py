import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exiface.calibration import Calibration, CalibrationError, GeneratedFaces, Judge


@given(st.lists(st.tuples(st.integers(1, 50), st.sampled_from("abc")), min_size=1, max_size=60))
def test_photographic_is_where_one_in_ten_scores_as_low_and_families_weigh_the_same(faces):
    """Against a slow twin: the mean over families of the share within each."""
    values = [number / 50 for number, _ in faces]
    names = [name for _, name in faces]

    def share_as_usual(threshold):
        shares = []
        for family in sorted(set(names)):
            own = [value for value, name in zip(values, names, strict=True) if name == family]
            shares.append(sum(value >= threshold for value in own) / len(own))
        return sum(shares) / len(shares)

    found = GeneratedFaces.of(values, names).photographic_from
    candidates = [each for each in sorted({*values, 1.0}) if share_as_usual(each) <= 0.1 + 1e-12]
    assert found == (candidates[0] if candidates else float("inf"))
    assert GeneratedFaces.of(values * 3, names * 3).photographic_from == found


@pytest.mark.parametrize(
    ("p_values", "families"), [([], []), ([0.5], ["a", "b"]), ([0.0], ["a"]), ([1.5], ["a"])]
)
def test_what_are_no_p_values_is_refused(p_values, families):
    with pytest.raises(CalibrationError, match="generated faces"):
        GeneratedFaces.of(p_values, families)


def test_further_faces_of_known_families_stand_beside_them():
    known = GeneratedFaces.of([0.01, 0.02, 0.01], ["b", "b", "c"])
    faces = GeneratedFaces.of([0.02, 0.5, 0.04], ["a", "a", "d"], known)
    restored = GeneratedFaces.from_arrays(faces.arrays())
    assert restored.known.p_values.tolist() == [0.01, 0.02, 0.01]
    assert restored.photographic_from == faces.photographic_from
    photographs = np.random.default_rng(0).normal(size=400)
    judge = Judge(Calibration.of(photographs), restored)
    [finding] = judge.findings([photographs.max()])
    ratio = judge.ratio_of_known(finding.p_value)
    assert ratio.value > finding.likelihood_ratio.value > 1
    assert "generated faces of kinds it knows as among" in ratio.sentence
    alone = Judge(Calibration.of(photographs), GeneratedFaces.of([0.02], ["a"]))
    assert alone.ratio_of_known(0.01) is None
