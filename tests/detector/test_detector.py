import itertools
from dataclasses import replace

import numpy as np
import pytest
from made import write_photo
from PIL import Image

from exiface.calibration import LikelihoodRatio, Verdict
from exiface.detector import Detector, DetectorError, ImageResult, Judgement
from exiface.detector.folder import BUILTIN, detector_folder
from exiface.photos import read_photo


@pytest.fixture(scope="module")
def detector(detector_folder):
    return Detector.load(detector_folder)


def test_paths_arrays_bytes_and_pictures_are_judged_alike(detector, tmp_path, astronaut):
    path = write_photo(tmp_path / "photo.png", astronaut)
    sources = [path, str(path), path.read_bytes(), astronaut, Image.fromarray(astronaut)]
    results = list(detector.detect(sources))
    assert [result.path for result in results] == [str(path), str(path), None, None, None]
    assert len({result.faces[0] for result in results}) == 1
    assert [r.faces for r in detector.detect(np.stack([astronaut] * 2))] == [results[0].faces] * 2
    [alone] = detector.detect(path)
    assert alone == results[0]
    assert alone.tags.iso_speed == 100
    assert alone.size == (512, 512)
    face = alone.faces[0]
    assert face.score == -face.log_likelihood
    assert 0 < face.p_value <= 1
    assert face.verdict == detector.parts.judge.verdict_at(face.p_value)
    assert face.likelihood_ratio is None


def test_batches_change_nothing(detector, photos):
    paths = sorted((photos / "1").glob("*.jpg"))
    whole = [result.as_dict() for result in detector.detect(paths, batch_size=64)]
    for batch_size in (1, 3):
        assert [r.as_dict() for r in detector.detect(paths, batch_size=batch_size)] == whole


def test_images_without_a_verdict_keep_their_place(detector, photos, tmp_path):
    sources = [photos / "broken.jpg", photos / "0/03.jpg", tmp_path, photos / "landscape.png"]
    broken, good, folder, landscape = detector.detect(sources)
    assert "damaged" in broken.reason
    assert good.reason is None
    assert len(good.faces) == 1
    assert "folder" in folder.reason
    assert landscape.reason == "no face found"
    assert "reason" not in good.as_dict()


def test_several_faces_and_small_ones(detector, astronaut):
    canvas = np.zeros((512, 512 + 128, 3), np.uint8)
    canvas[:, :512] = astronaut
    canvas[:128, 512:] = astronaut[::4, ::4]
    canvas[200:456, 384:] = astronaut[::2, ::2]
    [result] = detector.detect(canvas)
    assert [round(face.box[2] - face.box[0]) > 60 for face in result.faces] == [True, False]
    assert result.small_faces == 1
    assert result.as_dict()["small_faces"] == 1
    [only_small] = detector.detect(np.ascontiguousarray(astronaut[::4, ::4]))
    assert only_small.reason == "faces smaller than 32 px only"
    [sliver] = detector.detect(astronaut[:20], cropped=True)
    assert sliver.reason == "faces smaller than 32 px only"


def test_cropped_images_are_judged_whole(detector, astronaut, face):
    crop = detector.parts.encoder.preprocessing.crop(astronaut, face.box)
    [result] = detector.detect(crop, cropped=True)
    assert result.faces[0].box == (0, 0, 32, 32)
    [whole] = detector.detect(astronaut)
    assert result.faces[0].score == pytest.approx(whole.faces[0].score, rel=1e-4)


def test_images_are_drawn_lazily(detector, astronaut):
    drawn = itertools.count()
    results = detector.detect((astronaut for _ in drawn), batch_size=8)
    assert all(result.reason is None for result in itertools.islice(results, 40))
    results.close()
    assert next(drawn) <= 40 + 8 + 4 * 8 + 8


def test_detectors_inside_the_package_are_known_by_name(astronaut, tmp_path):
    names = {
        "default": "photographs and generated faces",
        "photographs-only": "photographs only",
        "whole-image": "photographs and generated pictures",
    }
    assert set(BUILTIN) == set(names)
    files = [path for folder in BUILTIN.values() for path in folder.iterdir()]
    assert sum(path.stat().st_size for path in files) < 25e6
    for name, learnt_from in names.items():
        detector = Detector.load(name)
        assert detector.id.startswith(f"exiface-{name}@")
        assert detector.parts.learnt_from == learnt_from
        assert detector.parts.notice
        [result] = detector.detect(astronaut)
        assert 0 < result.p_value <= 1
        assert bool(result.faces) == (name != "whole-image")
    assert detector_folder() == BUILTIN["default"]
    assert Detector.load().id.startswith("exiface-default@")
    assert detector_folder(tmp_path / "default") == tmp_path / "default"
    with pytest.raises(DetectorError, match="name default, photographs-only, whole-image, or the"):
        Detector.load("photograph-only")
    with pytest.raises(DetectorError, match="is no detector"):
        Detector.load(tmp_path)


def test_the_name_of_an_earlier_version_tells_the_new_one():
    with pytest.raises(DetectorError, match="'default' has taken its place"):
        Detector.load("binary")


def test_the_detector_sees_what_the_density_was_fitted_on(manifest, detector):
    """`detect` and `fit` share one way from file to features."""
    from exiface.detector.encoding import encode_faces

    features = encode_faces(detector.encoder, manifest)
    row = manifest.path.tolist().index("0/03.jpg")
    expected = detector.parts.scorer.score(features[row : row + 1])[0]
    [result] = detector.detect(manifest.file(row))
    assert result.faces[0].score == pytest.approx(expected, rel=1e-3)
    assert read_photo(manifest.file(row)).pixels.shape[:2] == result.size[::-1]


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
