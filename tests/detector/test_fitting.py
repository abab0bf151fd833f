from dataclasses import replace

import numpy as np
import pytest

from exiface.datasets.splits import SPLITS
from exiface.detector import DetectorError
from exiface.detector.encoding import encode_faces, encode_sent
from exiface.detector.fitting import Fitting, fit, split_for_fit
from exiface.detector.folder import encoder_named, read_folder, write_folder
from exiface.encoders import EncoderFolder
from exiface.photos import TAG_NAMES, UnreadableImageError
from exiface.scoring import DensityError, Evidence, Head


def test_features_are_in_the_order_of_the_manifest(encoder_folder, manifest):
    encoder = EncoderFolder.read(encoder_folder).open()
    features = encode_faces(encoder, manifest)
    shuffled = np.random.default_rng(0).permutation(len(manifest))
    again = encode_faces(encoder, manifest.select(shuffled), batch_size=7)
    assert np.allclose(again, features[shuffled], atol=1e-5)
    progressed = []
    encode_faces(encoder, manifest, lambda done, total: progressed.append((done, total)))
    assert progressed[-1] == (len(manifest), len(manifest))


@pytest.mark.parametrize("digits", [64, 16])  # of an encoder folder, of a detector
def test_calibrating_on_what_the_encoder_saw_is_refused(manifest, digits):
    assert {len(each) for each in encoder_named("default").seen} == {16}
    seen = {str(manifest.of_split("calibration").sha256[0])[:digits]}
    with pytest.raises(DetectorError, match="were trained on"):
        split_for_fit(manifest, seen)
    fitted = {str(manifest.of_split("fit").sha256[0])[:digits]}
    assert split_for_fit(manifest, fitted) is manifest
    with pytest.raises(DetectorError, match="1 calibration photographs were trained on"):
        split_for_fit(manifest, fitted, ("fit", "calibration"))  # beside a classifier


def test_splits_of_the_encoders_own_manifest_are_kept(scanned):
    faces = scanned[0]
    seen = set(faces.of_split("train").sha256.tolist())
    assert split_for_fit(faces, seen) is faces
    elsewhere = split_for_fit(faces, {"0" * 64})
    assert set(elsewhere.split.tolist()) == {"fit", "calibration"}
    assert (elsewhere.split == "calibration").sum() == (faces.split == "calibration").sum()


def test_a_lost_photograph_is_named(encoder_folder, manifest, tmp_path):
    lost = replace(manifest.select(np.array([0])), root=tmp_path / "gone")
    with pytest.raises(UnreadableImageError, match=r"gone.*\.jpg.*prepare"):
        encode_faces(EncoderFolder.read(encoder_folder).open(), lost)


@pytest.fixture
def folder(encoder_folder, tmp_path):
    """An encoder with heads."""
    heads = {tag: np.eye(8, dtype=np.float32)[n] for n, tag in enumerate(TAG_NAMES)}
    heads["smoothing"] = np.ones(8, np.float32)
    replace(EncoderFolder.read(encoder_folder), heads=heads).write(tmp_path / "encoder")
    return tmp_path / "encoder"


def test_heads_can_score_instead_of_a_mixture(folder, manifest, tmp_path):
    heads = Fitting(evidence=(Head("smoothing"), Head("aperture", 0, 2)))
    parts = fit(folder, manifest, name="evidence", fitting=heads)
    assert isinstance(parts.scorer, Evidence)
    assert parts.scorer.floor.tolist() == [0.05, 0]
    assert "evidence of smoothing (at least 0.05), 2 x aperture." in parts.card
    write_folder(parts, tmp_path / "detector")
    restored = read_folder(tmp_path / "detector")
    features = np.random.default_rng(0).normal(size=(5, 8))
    assert np.array_equal(restored.scorer.score(features), parts.scorer.score(features))
    assert restored.learnt_from == "photographs only"
    with pytest.raises(DensityError, match="no head 'other'"):
        fit(folder, manifest, name="evidence", fitting=Fitting(evidence=(Head("other"),)))


def test_where_validation_photographs_fit_all_others_calibrate(folder, scanned):
    quarters = np.array(["train", "validation", "fit", "calibration"])[np.arange(60) % 4]
    faces = scanned[0].with_split(quarters)
    seen = faces.of_split("train", "validation").sha256.tolist()
    (folder / "photographs.txt").write_text("\n".join(seen))
    fitting = Fitting(evidence=(Head("aperture"),), split="validation")
    parts = fit(folder, faces, name="evidence", fitting=fitting)
    counts = {split: len(set(faces.of_split(split).photo.tolist())) for split in SPLITS}
    assert parts.provenance["fit"]["photographs"] == counts["validation"]
    assert len(parts.calibration.scores) == counts["fit"] + counts["calibration"]


def test_pictures_as_sent_are_other_pictures_and_the_same_at_every_call(encoder_folder, manifest):
    encoder = EncoderFolder.read(encoder_folder).open()
    faces = manifest.of_split("calibration")
    progressed = []
    sent = encode_sent(encoder, faces, lambda done, _: progressed.append(done), seed=3)
    assert progressed[-1] == len(faces) == len(sent)
    assert np.array_equal(sent, encode_sent(encoder, faces, seed=3))
    assert not np.allclose(sent, encode_faces(encoder, faces), atol=1e-3)
