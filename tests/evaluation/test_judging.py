import io

import numpy as np
import pytest
from made_sets import calibrated, scored
from PIL import Image

from exiface import evaluation
from exiface.calibration import Calibration
from exiface.detector import Detector
from exiface.errors import UserError
from exiface.evaluation import judge
from exiface.evaluation.judging import harmonise
from exiface.evaluation.own_photographs import encode_sets, own_table
from exiface.photos.alterations import ORIGINAL, altered
from exiface.scoring import GaussianMixture


@pytest.fixture(scope="module")
def folders(tmp_path_factory, photos):
    folder = tmp_path_factory.mktemp("sets")
    for name in ("real", "fake"):
        (folder / name).mkdir()
    for number in range(4):
        content = (photos / f"{number % 3}" / f"{number:02}.jpg").read_bytes()
        (folder / "real" / f"{number}.jpg").write_bytes(content)
        image = Image.open(io.BytesIO(content)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        image.save(folder / "fake" / f"{number}.png")
    (folder / "real" / "broken.jpg").write_bytes(content[:2000])
    (folder / "real" / "landscape.png").write_bytes((photos / "landscape.png").read_bytes())
    return folder


def test_scores_are_those_of_detect_on_altered_images(judge, folders):
    names = ["JPEG 60", "crop 90 %", "noise 5"]
    progressed = []
    real, fake = evaluation.judge(
        judge,
        {"A": folders / "real"},
        {"A/x": folders / "fake"},
        alterations=names,
        progress=lambda done, total: progressed.append((done, total)),
    )
    assert progressed[-1] == (10, 10)
    assert list(real.scores) == [ORIGINAL, *names]
    assert [path.split("/")[-1] for path in real.paths] == [
        *(f"{number}.jpg" for number in range(4)),
        "broken.jpg",
        "landscape.png",
    ]
    assert real.judged().tolist() == [True] * 4 + [False] * 2
    assert len(real.traits) == 5  # all that can be read
    for name in (ORIGINAL, *names):
        pixels = np.asarray(Image.open(fake.paths[2]).convert("RGB"))
        [alone] = judge.detect(altered(pixels, name))
        assert fake.scores[name][2] == pytest.approx(alone.faces[0].score, rel=1e-4, abs=1e-3)
        assert fake.p_values[name][2] == pytest.approx(alone.faces[0].p_value, abs=0.006)
        if name == ORIGINAL:
            ratio = alone.faces[0].likelihood_ratio.value
            assert fake.ratios[2] == pytest.approx(ratio, rel=0.05)
    assert np.isfinite(real.ratios).tolist() == [True] * 4 + [False] * 2


def test_harmonising_cuts_the_face_out(judge, astronaut):
    content = io.BytesIO()
    Image.fromarray(astronaut).save(content, "PNG")
    crop = harmonise(content.getvalue(), judge.face_detector, cropped=False)
    [found] = judge.face_detector.detect(np.asarray(Image.open(io.BytesIO(crop))))
    _, y0, _, y1 = found.box
    assert (y1 - y0) / 256 == pytest.approx(1 / 1.3, abs=0.1)
    whole = harmonise(content.getvalue(), judge.face_detector, cropped=True)
    assert Image.open(io.BytesIO(whole)).size == (256, 256)
    assert harmonise(b"nothing", judge.face_detector, cropped=False) == b""


def test_a_folder_without_faces_is_named(judge, tmp_path, photos):
    with pytest.raises(UserError, match=r"empty.*holds no image"):
        evaluation.judge(judge, {"empty": tmp_path}, {})
    with pytest.raises(UserError, match=r"gone.*holds no image"):
        evaluation.judge(judge, {"gone": tmp_path / "gone"}, {})
    (tmp_path / "landscape.png").write_bytes((photos / "landscape.png").read_bytes())
    with pytest.raises(UserError, match="no face was found in any of its 1 images"):
        evaluation.judge(judge, {"land": tmp_path}, {})


def test_recalibrating_restores_a_promise_that_another_source_broke():
    rng = np.random.default_rng(0)
    calibration = Calibration.of(rng.normal(size=500))
    sets = [
        calibrated("real", "A", rng.normal(1.5, 1, 600), calibration),
        calibrated("fake", "A/x", rng.normal(4, 1, 100), calibration),
    ]
    as_it_is, recalibrated = own_table(sets)
    assert (as_it_is.how, recalibrated.how) == ("as it is", "recalibrated")
    assert as_it_is.false_alarms > 0.3
    assert recalibrated.own == 200
    assert recalibrated.low <= recalibrated.false_alarms <= recalibrated.high
    assert recalibrated.false_alarms == pytest.approx(0.05, abs=0.015)
    assert as_it_is.recall > recalibrated.recall > 0.5


def test_refitting_learns_another_source():
    rng = np.random.default_rng(0)
    features = {
        "real:A": rng.normal(3, 1, (300, 6)).astype(np.float32),
        "fake:A/x": rng.normal(0, 1, (50, 6)).astype(np.float32),
    }
    # To the shipped density, which knows photographs about 0, these generated faces are usual.
    sets = [
        scored("real", "A", (features["real:A"] ** 2).sum(1)),
        scored("fake", "A/x", (features["fake:A/x"] ** 2).sum(1)),
    ]
    recalibrated, refitted = own_table(sets, features, scorer=GaussianMixture())
    assert (recalibrated.how, refitted.how) == ("recalibrated", "refitted")
    assert refitted.own == 150
    assert recalibrated.recall < 0.1
    assert refitted.recall > 0.9
    assert refitted.false_alarms == pytest.approx(0.05, abs=0.03)


def test_features_are_those_of_the_largest_face(photos, tmp_path):
    for name in ("0/00.jpg", "1/01.jpg", "landscape.png"):
        (tmp_path / name.split("/")[-1]).write_bytes((photos / name).read_bytes())
    detector = Detector.load()
    [real] = judge(detector, {"A": tmp_path}, {})
    features = encode_sets(detector, [real])["real:A"]
    assert np.isnan(features[2]).all()
    scores = detector.parts.scorer.score(features[:2])
    assert scores == pytest.approx(real.scores["original"][:2], abs=0.01)
