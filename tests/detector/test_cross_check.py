from dataclasses import replace

import numpy as np
import pytest

from exiface.detector.cross_check import CrossCheck, tag_weights
from exiface.encoders import EncoderDescription, EncoderError, EncoderFolder
from exiface.photos import TAG_NAMES, CameraTags, Preprocessing


@pytest.fixture
def check():
    """Heads that read one feature each; ISO speed follows the last one, up to noise."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 4)).astype(np.float32)
    tags = np.exp(features + 0.2 * rng.normal(size=features.shape)) * (4, 0.01, 50, 400)
    tags[:50, 3] = np.nan
    tags[:390, 0] = np.nan
    tags[:, 1] = rng.permutation(tags[:, 1])  # nothing that its head could rank
    return CrossCheck.of(np.eye(4, dtype=np.float32), features, tags)


def iso_of(checks):
    return next(each for each in checks if each.tag == "iso_speed")


def test_what_agrees_is_left_alone_and_what_does_not_is_said(check):
    bright = np.array([0, 0, 0, 1.5], np.float32)
    agrees = iso_of(check.check(bright, CameraTags(iso_speed=400 * np.exp(1.5))))
    assert not agrees.disagrees
    assert agrees.recorded_rank == pytest.approx(agrees.expected_rank, abs=0.05)
    forged = iso_of(check.check(bright, CameraTags(iso_speed=50)))
    assert forged.disagrees
    assert forged.p_value == pytest.approx(1 / 351)
    assert forged.as_dict()["disagrees"] is True


def test_of_a_head_that_guesses_or_was_hardly_measured_nothing_is_said(check):
    tags = CameraTags(aperture=64.0, exposure_time=30.0, focal_length=9000.0, iso_speed=50.0)
    found = check.check(np.zeros(4, np.float32), tags)
    assert [each.tag for each in found] == ["focal_length", "iso_speed"]
    assert check.holds == (False, False, True, True)


def test_photographs_like_those_of_the_calibration_rarely_disagree(check):
    rng = np.random.default_rng(1)
    disagree = 0
    for _ in range(1000):
        features = rng.normal(size=4).astype(np.float32)
        iso = 400 * np.exp(features[3] + 0.2 * rng.normal())
        disagree += iso_of(check.check(features, CameraTags(iso_speed=iso))).disagrees
    assert 0.02 < disagree / 1000 < 0.09


def test_heads_are_read_in_the_order_of_the_tags(tmp_path):
    files = EncoderFolder(b"model", EncoderDescription("small", 3, Preprocessing(32)))
    files.write(tmp_path)
    assert EncoderFolder.read(tmp_path).heads == {}
    assert tag_weights({"other": np.zeros(3, np.float32)}) is None
    heads = {tag: np.full(3, n, np.float32) for n, tag in enumerate(TAG_NAMES)}
    replace(files, heads=heads | {"other": np.zeros(3, np.float32)}).write(tmp_path)
    assert tag_weights(EncoderFolder.read(tmp_path).heads)[:, 0].tolist() == [0, 1, 2, 3]
    # An encoder may have learnt to rank some of them only, and can be fitted.
    assert tag_weights({"aperture": np.zeros(3, np.float32)}) is None
    with pytest.raises(EncoderError, match=r"delete heads\.safetensors"):
        tag_weights(heads | {"aperture": np.zeros(2, np.float32)})
    (tmp_path / "heads.safetensors").write_bytes(b"{}")
    with pytest.raises(EncoderError, match="export the encoder again"):
        EncoderFolder.read(tmp_path)
