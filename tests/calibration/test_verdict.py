import ast
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import exiface
from exiface.calibration import (
    Calibration,
    CalibrationError,
    Finding,
    GeneratedFaces,
    Judge,
    Verdict,
    of_several,
)
from exiface.calibration.quality_limits import QualityLimits
from exiface.photos.quality import Quality

CALIBRATION = Calibration.of(range(99))
GENERATED = GeneratedFaces.of([0.01] * 9 + [0.8], ["a"] * 10)


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
    assert Judge(CALIBRATION).verdict_at(p_value) == verdict
    # The same where "photographic" has not been earned, whatever generated faces score.
    assert Judge(CALIBRATION, GENERATED, photographic=False).verdict_at(p_value) == verdict


@given(
    st.lists(st.integers(1, 100), min_size=1, max_size=40), st.integers(1, 100), st.integers(1, 4)
)
def test_photographic_is_said_only_where_it_is_earned(numerators, numerator, families):
    values = [each / 100 for each in numerators]
    names = [f"family {number % families}" for number in range(len(values))]
    generated = GeneratedFaces.of(values, names)
    p_value = numerator / 100
    verdict = Judge(CALIBRATION, generated).verdict_at(p_value)
    as_usual = [(own >= p_value).mean() for own in generated.by_family]
    if verdict is Verdict.PHOTOGRAPHIC:
        assert sum(as_usual) / len(as_usual) <= 0.1
    else:
        assert verdict is (Verdict.AI_GENERATED if p_value <= 0.05 else Verdict.UNSURE)


def test_what_earns_it_in_words():
    said = "ai-generated at p <= 0.05, photographic at p >= 0.8, unsure between"
    assert Judge(CALIBRATION, GENERATED).promise() == said
    # Where all are flagged, nothing is left to be unsure of.
    told_apart = Judge(CALIBRATION, GeneratedFaces.of([0.01] * 34, ["a"] * 34))
    assert told_apart.promise() == "ai-generated at p <= 0.05, photographic above"
    assert told_apart.verdict_at(0.06) is Verdict.PHOTOGRAPHIC
    never = Judge(CALIBRATION, GeneratedFaces.of([1.0] * 10, ["a"] * 10))
    assert "photographic never" in never.promise()
    assert never.verdict_at(1.0) is Verdict.UNSURE


def test_low_quality_is_unsure_and_says_why():
    flagged, unsure = Judge(CALIBRATION, GENERATED).findings([99, 99], [None, "too small"])
    assert flagged.verdict is Verdict.AI_GENERATED
    assert (unsure.verdict, unsure.unsure_because) == (Verdict.UNSURE, "too small")
    assert unsure.p_value == flagged.p_value
    assert flagged.likelihood_ratio == unsure.likelihood_ratio
    assert Judge(CALIBRATION).findings([99])[0].likelihood_ratio is None


@given(st.lists(st.sampled_from([0.001, 0.01, 0.04, 0.3, 0.9]), max_size=30))
def test_several_faces_are_corrected_for_their_number(p_values):
    judge = Judge(CALIBRATION)
    found = of_several([Finding(p, judge.verdict_at(p)) for p in p_values], 0.05)
    if not p_values:
        assert found is None
        return
    verdict, p_value = found
    assert p_value == min(1, len(p_values) * min(p_values))
    assert (verdict is Verdict.AI_GENERATED) == (p_value <= 0.05)


@pytest.mark.parametrize("p_value", [0.001, 0.9])
def test_what_cannot_be_compared_neither_flags_an_image_nor_saves_it(p_value):
    blurred = Finding(p_value, Verdict.UNSURE, unsure_because="too blurred")
    flagged, usual = Finding(0.04, Verdict.AI_GENERATED), Finding(0.8, Verdict.PHOTOGRAPHIC)
    assert of_several([flagged, blurred], 0.05) == (Verdict.AI_GENERATED, 0.04)
    assert of_several([usual, blurred], 0.05) == (Verdict.UNSURE, 0.8)
    assert of_several([blurred, blurred], 0.05) == (Verdict.UNSURE, min(1, 2 * p_value))


def test_no_other_room_compares_a_p_value_with_a_band():
    """Nothing outside calibration/ holds alpha, beta or photographic_from against anything."""
    root = Path(exiface.__file__).parent
    found = []
    for path in sorted(root.rglob("*.py")):
        if path.parent.name == "calibration":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Compare):
                continue
            sides = [node.left, *node.comparators]
            names = {
                getattr(part, "attr", getattr(part, "id", ""))
                for side in sides
                for part in ast.walk(side)
                if isinstance(part, ast.Attribute | ast.Name)
            }
            ordered = any(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops)
            if ordered and names & {"alpha", "beta", "photographic_from", "usual_from"}:
                found.append(f"{path.relative_to(root)}:{node.lineno}")
    assert not found


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
    candidates = sorted({*values, math.nextafter(max(values), math.inf)})
    assert found == next(each for each in candidates if share_as_usual(each) <= 0.1 + 1e-12)
    assert GeneratedFaces.of(values * 3, names * 3).photographic_from == found


@pytest.mark.parametrize(
    ("p_values", "families"), [([], []), ([0.5], ["a", "b"]), ([0.0], ["a"]), ([1.5], ["a"])]
)
def test_what_are_no_p_values_is_refused(p_values, families):
    with pytest.raises(CalibrationError, match="generated faces"):
        GeneratedFaces.of(p_values, families)


def test_families_keep_their_numbers():
    faces = GeneratedFaces.of(np.full(12, 0.5), [f"family {number:02}" for number in range(12)])
    restored = GeneratedFaces.from_arrays(faces.arrays())
    assert restored.families.tolist() == faces.families.tolist() == [*range(12)]


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


def qualities(sizes):
    return [Quality(size=float(size), sharpness=5.0) for size in sizes]


def test_without_trouble_the_limit_is_what_is_covered():
    p_values = np.tile(np.linspace(0.01, 1, 100), 10)
    limits = QualityLimits.of(qualities(range(100, 1100)), p_values, 0.05, compressed=())
    assert limits.size == 105
    assert limits.sharpness == 5
    assert math.isnan(limits.jpeg_quality)
    assert limits.reason(Quality(104, 5)) == (
        "too small to be compared (104 px; at least 105 px are needed)"
    )
    assert limits.reason(Quality(105, 5)) is None


def test_the_limit_is_where_small_faces_stop_being_flagged_too_often():
    p_values = np.concatenate([np.full(60, 0.01), np.linspace(0.06, 1, 940)])
    limits = QualityLimits.of(qualities(range(100, 1100)), p_values, 0.05, compressed=())
    assert limits.size == 160
    # What is true of most photographs is none of their quality's: they would be left without one.
    p_values = np.concatenate([np.full(300, 0.01), np.linspace(0.06, 1, 700)])
    limits = QualityLimits.of(qualities(range(100, 1100)), p_values, 0.05, compressed=())
    assert limits.size == 200


@pytest.mark.parametrize(("breaks_at", "limit"), [(None, math.nan), (30, 50), (90, math.inf)])
def test_compression_counts_from_where_the_promise_breaks(breaks_at, limit):
    kept, broken = np.linspace(0.01, 1, 100), np.full(100, 0.01)
    asked = []

    def compressed():
        for quality in (90, 70, 50, 30, 20):
            asked.append(quality)
            yield quality, broken if breaks_at is not None and quality <= breaks_at else kept

    limits = QualityLimits.of(qualities([100] * 100), kept, 0.05, compressed=compressed())
    assert asked[-1] == (breaks_at or 20)  # those below aren't computed
    assert limits.jpeg_quality == pytest.approx(limit, nan_ok=True)
    again = QualityLimits.from_dict(limits.as_dict())
    assert again.as_dict() == limits.as_dict()


def test_few_photographs_do_not_show_what_they_cover():
    few = qualities(range(100, 250)), [0.5] * 150, 0.05
    assert QualityLimits.of(*few, compressed=()).as_dict() == {}
    former = QualityLimits(size=48, jpeg_quality=30)
    assert QualityLimits.of(*few, compressed=(), former=former).as_dict() == former.as_dict()


def test_few_photographs_raise_a_former_limit_and_many_replace_it():
    former = QualityLimits(size=110, jpeg_quality=30)
    flagged = np.concatenate([np.full(60, 0.01), np.full(90, 0.5)])
    raised = QualityLimits.of(
        qualities(range(100, 250)), flagged, 0.05, compressed=[(90, [0.5] * 99)], former=former
    )
    assert raised.size == 120
    assert raised.jpeg_quality == 30
    many = qualities(range(50, 1050)), np.tile(np.linspace(0.01, 1, 100), 10), 0.05
    replaced = QualityLimits.of(*many, compressed=(), former=former)
    assert replaced.size == 55
    assert math.isnan(replaced.jpeg_quality)


def test_flat_pictures_are_unsure_with_their_reason():
    limits = QualityLimits(texture=0.44)
    reason = limits.reason(Quality(size=800, sharpness=5, texture=0.21))
    assert reason == (
        "too flat, as text, screenshots and drawings are, to be compared (21% of it is not flat; "
        "at least 44% is needed)"
    )
    assert limits.reason(Quality(size=800, sharpness=5, texture=0.9)) is None
    assert limits.reason(Quality(size=800, sharpness=5)) is None
