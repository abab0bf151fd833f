"""What calibrates, and what is measured on it, with an encoder that a test can foresee."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from skimage import data

from exiface.calibration import Verdict
from exiface.calibration.quality_limits import QualityLimits
from exiface.datasets import Manifest
from exiface.detector import Detector
from exiface.detector.calibrating import Promise, calibrated, chosen
from exiface.detector.encoding import FORMS, largest_faces
from exiface.detector.folder import BUILTIN, DetectorError, read_folder
from exiface.encoders import EncoderDescription
from exiface.photos import CameraTags
from exiface.photos.patches import Patches


class Darkness:
    """An encoder of whole images: two features, how dark a picture is and how narrow."""

    subject = "image"
    features = 2
    description = EncoderDescription("darkness", 2, Patches())

    def inputs(self, photo, box):
        return photo

    def encode(self, inputs):
        return np.array([[255 - each.mean(), -each.shape[1]] for each in inputs], np.float32)


class Narrowness:
    """A scorer that flags narrow pictures."""

    def score(self, features):
        return np.asarray(features, np.float64)[:, 1]


def row(path, photo, side, **changes):
    return {
        "path": path,
        "photo": photo,
        "split": "calibration",
        "sha256": f"{abs(hash((path, side))):064x}"[:64],
        "box": [10, 10, 10 + side, 10 + side],
        "landmarks": [[12, 12], [20, 12], [16, 16], [13, 20], [19, 20]],
        "score": 0.9,
        "tags": CameraTags(),
    } | changes


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Forty pictures of four sources, each narrower than the one before."""
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(40):
        pixels = rng.integers(0, 256, (120, 200 - 2 * number, 3), np.uint8)
        Image.fromarray(pixels).save(root / f"{number}.png")
        rows.append(row(f"{number}.png", str(number), 50, source=f"s{number % 4}"))
    return Manifest.from_rows(root, rows, subject="image")


@pytest.fixture(scope="module")
def found(pictures):
    return calibrated(
        Darkness(), Narrowness(), pictures, Promise(as_sent=True), tag_weights=np.ones((4, 2))
    )


def test_each_form_of_a_picture_calibrates_and_counts_once(found, pictures):
    calibration = found.calibration
    assert (len(calibration.scores), calibration.photographs) == (3 * len(pictures), len(pictures))
    assert calibration.forms.max() + 1 == len(FORMS)
    as_it_is = calibration.scores[calibration.forms == 0]
    assert sorted(as_it_is) == [-200 + 2 * number for number in range(40)]
    shrunk = calibration.scores[calibration.forms == 2]
    assert shrunk.mean() > as_it_is.mean()


def test_quality_and_tags_are_measured_on_pictures_as_they_are(found, pictures, monkeypatch):
    seen = {}

    def of(qualities, p_values, alpha, *, compressed, former):
        seen["p_values"] = p_values
        return QualityLimits()

    monkeypatch.setattr(QualityLimits, "of", of)
    again = calibrated(Darkness(), Narrowness(), pictures, Promise(as_sent=True))
    widths = np.array([200 - 2 * number for number in range(40)])
    assert np.array_equal(seen["p_values"], again.calibration.p_value(-widths))
    # Each expected tag is the sum of both features, of the picture as it lies in the file.
    pixels = [255 - pictures.read_pixels(number).mean() for number in range(40)]
    assert np.allclose(sorted(found.cross_check.expected[:, 0]), sorted(pixels - widths), atol=1e-3)


def test_the_largest_face_of_each_photograph_calibrates(tmp_path):
    sides = {"a": (40, 90, 60), "b": (35, 30), "c": (50,)}
    rows = [row(f"{photo}.jpg", photo, side) for photo, each in sides.items() for side in each]
    faces = Manifest.from_rows(tmp_path, rows)
    for kept in (largest_faces(faces), chosen(faces, per_photo=1, per_camera=None, seed=0)):
        found = dict(zip(kept.photo.tolist(), (kept.box[:, 2] - kept.box[:, 0]), strict=True))
        assert found == {"a": 90, "b": 35, "c": 50}
    every = chosen(faces, per_photo=None, per_camera=None, seed=0)
    assert len(every) == len(rows)
    with pytest.raises(DetectorError, match="no photograph"):
        chosen(faces.select(np.zeros(len(rows), bool)), per_photo=1, per_camera=None, seed=0)


@pytest.mark.parametrize("name", ["photographs-only", "whole-image"])
def test_low_quality_makes_every_verdict_unsure_and_says_why(name, astronaut):
    parts = read_folder(BUILTIN[name])
    limits = (QualityLimits(sharpness=1e6), QualityLimits())
    strict, plain = (
        next(Detector(replace(parts, quality=each)).detect([astronaut])) for each in limits
    )
    assert strict.judged and plain.judged
    assert "too blurred" in strict.judged[0].unsure_because
    assert strict.judged[0].verdict == Verdict.UNSURE
    assert plain.judged[0].unsure_because is None
    assert strict.judged[0].p_value == plain.judged[0].p_value


def test_a_least_size_that_was_asked_for(pictures, caplog):
    for size in (100, 768):
        promise = Promise(as_sent=True, least_size=size)
        found = calibrated(Darkness(), Narrowness(), pictures, promise)
        assert found.quality.size == size
    [warned] = [each for each in caplog.messages if "least-size" in each]
    assert "40 of 40 photographs have less than 768 px" in warned


def test_the_built_in_detector_leaves_small_and_flat_pictures_unsure():
    """And no other: it once found most photographs too flat."""
    drawing = np.full((1000, 1000, 3), 255, np.uint8)
    drawing[::100] = 0
    pictures = (data.chelsea(), drawing, data.retina())
    small, flat, photo = (
        result.judged[0].unsure_because for result in Detector.load("whole-image").detect(pictures)
    )
    assert "too small to be compared (300 px; at least 768 px are needed)" in small
    assert "too flat" in flat
    assert photo is None
