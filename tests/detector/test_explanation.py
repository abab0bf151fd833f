import cv2
import numpy as np
import pytest

from exiface.detector import Detector
from exiface.detector.explanation import MILD_ALTERATIONS, explain, region_map
from exiface.photos import read_photo


@pytest.fixture(scope="module")
def by_signs():
    return Detector.load("photographs-only")


@pytest.fixture(scope="module")
def explanation(by_signs, photos):
    return explain(by_signs, photos / "0/00.jpg")


def test_the_verdict_is_the_one_of_detect(by_signs, explanation, photos):
    [result] = by_signs.detect(photos / "0/00.jpg")
    assert explanation.result.as_dict() == result.as_dict()
    assert explanation.judged == result.faces[0]
    assert explanation.crop.shape == (224, 224, 3)


def test_the_nearest_photographs_are_named_and_the_signs_that_make_the_score(by_signs, explanation):
    scores = by_signs.parts.calibration.scores
    nearest = explanation.nearest_scores
    assert len(nearest) == 5
    assert list(nearest) == sorted(nearest)
    assert set(nearest) <= set(scores)
    furthest = max(abs(score - explanation.judged.score) for score in nearest)
    others = np.setdiff1d(scores, nearest)
    assert (np.abs(others - explanation.judged.score) >= furthest).all()
    floor = by_signs.parts.scorer.floor[0]
    assert [*explanation.signs] == list(by_signs.parts.scorer.names)
    tails = [max(1 - rank, floor) for rank in explanation.signs.values()]
    assert explanation.judged.score == pytest.approx(-np.log(tails).sum(), abs=2e-3)


def test_the_default_detector_is_explained_at_the_faces_own_pixels(judge, astronaut):
    explained = explain(judge, astronaut[::2, ::2])
    side = judge.parts.encoder.preprocessing.side
    assert explained.crop.shape[0] == explained.crop.shape[1] == side(len(explained.crop))
    assert explained.regions.shape == explained.crop.shape[:2]
    assert explained.signs == {}
    # What its heads rank on photographs that they never saw; an array claims nothing.
    assert [check.tag for check in explained.tag_checks] == ["aperture", "focal_length"]
    assert explained.tag_checks[0].recorded is None


def test_the_tags_of_the_file_are_checked(by_signs, explanation):
    checks = {check.tag: check for check in explanation.tag_checks}
    assert set(checks) == {"aperture", "focal_length"}  # what its heads rank
    claimed = explanation.result.tags.as_dict()
    assert all(check.recorded == claimed[tag] for tag, check in checks.items())
    assert explanation.kept >= 5
    assert all(0 < check.p_value <= 1 for check in checks.values())
    values = explanation.as_dict()
    assert np.shape(values["regions"]) == (8, 8)
    assert set(values["stability"]) == set(MILD_ALTERATIONS)
    assert len(values["signs"]) == len(explanation.signs)
    assert set(values["tags"]) == set(checks)


class Painted:
    """A detector whose score is the amount of red: what hides red raises the likelihood."""

    def score(self, crops):
        return crops[..., 0].astype(float).mean(axis=(1, 2)) / 10


def test_the_region_that_pulls_down_is_found():
    crop = np.zeros((64, 64, 3), np.uint8)
    cv2.circle(crop, (44, 20), 5, (255, 0, 0), -1)
    regions = region_map(Painted(), crop)
    assert regions.shape == (64, 64)
    row, column = np.unravel_index(regions.argmax(), regions.shape)
    assert (row, column) == (pytest.approx(20, abs=5), pytest.approx(44, abs=5))
    assert regions.max() > 0
    assert abs(np.median(regions)) < 0.05 * regions.max()


def test_the_face_that_is_asked_for_is_explained(detector_folder, astronaut):
    small = Detector.load(detector_folder)
    canvas = np.zeros((512, 768, 3), np.uint8)
    canvas[:, 256:] = astronaut
    canvas[:256, :256] = astronaut[::2, ::2]
    [result] = small.detect(canvas)
    second = explain(small, canvas, face=1)
    assert second.judged == result.faces[1]
    assert second.signs == {}  # a density has none
    # Nearest in place: the altered face is the small one, not its larger neighbour.
    widths = [each.box[2] - each.box[0] for each in second.stability.values() if each]
    assert max(widths) < 70


def test_a_crop_is_explained_whole(detector_folder, explanation):
    whole = explain(Detector.load(detector_folder), explanation.crop, cropped=True)
    assert whole.judged.box == (0, 0, 224, 224)
    assert None not in whole.stability.values()


def test_an_image_is_explained_as_a_whole_by_its_patches(photos):
    detector = Detector.load("whole-image")
    pixels = read_photo(photos / "landscape.png").pixels
    whole = explain(detector, pixels)
    assert (whole.what, whole.number) == ("image", None)
    assert whole.judged == whole.result.image
    assert whole.regions.shape == whole.crop.shape[:2]
    assert whole.regions.max() > 0 > whole.regions.min()
    assert set(whole.stability) == set(MILD_ALTERATIONS)
    values = whole.as_dict()
    assert (values["subject"], values["face"]) == ("image", None)
    # Each patch is scored as if it were the image, whose score is their mean.
    scores = detector.parts.scorer.score(detector.whole.encoder.each(pixels))
    assert whole.judged.score == pytest.approx(scores.mean(), abs=1e-3)
