from dataclasses import replace

import pytest

from exiface.calibration import LikelihoodRatio, Verdict
from exiface.detector import ImageResult, Judgement


def image(*p_values: float, others: Verdict = Verdict.PHOTOGRAPHIC) -> ImageResult:
    faces = tuple(
        Judgement((0, 0, 9, 9), 1.0, p, Verdict.AI_GENERATED if p <= 0.05 else others)
        for p in p_values
    )
    return ImageResult("image.jpg", "detector", faces)


def test_one_of_many_faces_is_expected_by_chance():
    group = image(0.03, *[0.5] * 19)
    assert group.p_value == pytest.approx(0.6)
    assert group.verdict is Verdict.UNSURE
    assert group.summary == (
        "1 of 20 faces AI-generated (chance of 20 faces can do that), photographic look of 19"
    )
    assert image(0.001, *[0.5] * 19).verdict is Verdict.AI_GENERATED
    assert image(0.01, 0.5, 0.6).summary == "1 of 3 faces AI-generated, photographic look of 2"
    assert (
        image(0.3, 0.5, 0.6, others=Verdict.UNSURE).summary
        == "no face flagged, unsure of all three"
    )


def test_a_single_face_speaks_for_its_image():
    assert image(0.04).verdict is Verdict.AI_GENERATED
    assert image(0.5).verdict is Verdict.PHOTOGRAPHIC
    assert image(0.5).summary == "looks photographic"
    assert image(0.5, others=Verdict.NOTHING_FOUND).verdict is Verdict.NOTHING_FOUND


def test_how_sure_is_said_in_a_few_words():
    assert image(0.04).how_sure == "1 in 25 photographs looks this unusual"
    assert image(0.01, 0.5).how_sure == "1 in 50 such pictures looks this unusual"
    [face] = image(0.04).faces
    ratio = LikelihoodRatio(20.4, 6.1, 58.0)
    strong = replace(image(0.04), faces=(replace(face, likelihood_ratio=ratio),))
    assert strong.how_sure == "moderate support for generated"
    assert strong.as_dict()["faces"][0]["sentence"] == (
        f"1 in 25 photographs looks this unusual. {ratio.sentence}"
    )
    small = replace(image(0.04), faces=(replace(face, unsure_because="too small"),))
    assert small.how_sure == "too small"
    assert ImageResult(None, "detector", reason="no face found").how_sure is None


def test_the_whole_counts_as_one_more():
    faces = image(0.03)
    both = replace(faces, image=Judgement((0, 0, 9, 9), 1.0, 0.9, Verdict.UNSURE))
    assert both.p_value == pytest.approx(0.06)
    assert both.verdict is Verdict.UNSURE
    assert both.summary == "looks AI-generated; the image as a whole: unsure"
    assert "box" not in both.as_dict()["image"]
