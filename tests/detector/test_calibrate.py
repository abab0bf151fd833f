import json
from dataclasses import replace

import numpy as np
import pytest

from exiface.calibration.quality_limits import QualityLimits
from exiface.detector.calibrating import Promise, calibrate, promise_of
from exiface.detector.folder import BUILTIN, DetectorError, digests, read_folder, write_folder


@pytest.fixture(scope="module")
def before():
    return read_folder(BUILTIN["photographs-only"])


@pytest.fixture(scope="module")
def small(parts):
    """A small detector that has forgotten which of these photographs it was fitted on."""
    return replace(parts, seen=np.empty(0, np.uint64))


def test_only_the_calibration_is_new(before, manifest):
    few = manifest.select(np.arange(15))
    after = calibrate(before, few, name="own", promise=Promise(alpha=0.1))
    assert after.model == before.model
    for name, array in before.scorer.arrays().items():
        assert (after.scorer.arrays()[name] == array).all()
    assert len(after.calibration.scores) == len(np.unique(few.photo))
    assert (after.calibration.alpha, after.calibration.beta) == (0.1, before.calibration.beta)
    assert after.provenance["fit"] == before.provenance["fit"]
    assert after.provenance["recalibrated"]["digest"] == before.digest
    assert len(after.cross_check.expected) == len(after.calibration.scores)
    assert (after.cross_check.weights == before.cross_check.weights).all()
    assert "p <= 0.1" in after.card
    assert "Those that fitted it were\nsaved again and shrunk at random" in after.card


def test_generated_faces_do_not_calibrate(small, manifest):
    generated = np.zeros(len(manifest), bool)
    generated[::2] = True
    mixed = replace(manifest, generated=generated)
    after = calibrate(small, mixed, name="own", promise=Promise(alpha=0.1))
    assert after.calibration.photographs == len(np.unique(manifest.photo[~generated]))


def test_photographs_that_trained_it_are_refused(small, manifest, tmp_path):
    taught = replace(small, seen=digests([str(manifest.sha256[0])]))
    write_folder(taught, tmp_path / "taught")
    again = read_folder(tmp_path / "taught")
    with pytest.raises(DetectorError, match=str(manifest.path[0])):
        calibrate(again, manifest, name="own", promise=Promise(alpha=0.1))


def test_several_folders_calibrate_together(exiface, small, photos, tmp_path):
    folders = [argument for n in "012" for argument in ("--photos", photos / n)]
    write_folder(replace(small, notice="A toy."), tmp_path / "small")
    made = exiface(
        "calibrate", tmp_path / "small", *folders, "--alpha", 0.1, "-o", tmp_path / "own", status=0
    )
    assert "count as one" not in made.err
    calibration = read_folder(tmp_path / "own").calibration
    assert calibration.number_of_sources == 3
    assert "95 % interval" in " ".join(made.out.split())
    exiface("calibrate", tmp_path / "own", *folders, "--alpha", 0.1, "-o", tmp_path / "twice")
    assert read_folder(tmp_path / "twice").notice.count("Recalibrated on own photographs") == 1
    strict = exiface("calibrate", tmp_path / "small", *folders, "-o", tmp_path / "strict")
    assert strict.err.startswith("warning: these sources count as one")


def test_another_rate_is_promised_of_the_same_photographs(exiface, photos, tmp_path):
    careful = tmp_path / "careful"
    done = exiface("calibrate", "default", "--alpha", "0.01", "-o", careful)
    assert done.status == 0, done.err
    described = json.loads((careful / "detector.json").read_text())
    assert described["bands"]["alpha"] == 0.01
    assert described["notice"].startswith(
        "Promises 0.01 in place of 0.05; what follows was measured"
    )
    assert "p <= 0.01" in done.out
    judged, before = (
        json.loads(exiface("detect", photos / "0/00.jpg", "--detector", name, "--json").out)
        for name in (careful, "default")
    )
    # The scale of the p-values is that of before; only what is flagged differs.
    assert judged["p_value"] == before["p_value"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (
            ("--alpha", 5),
            "alpha, the false-alarm rate, must lie between 0 and 1, such as 0.01, got 5",
        ),
        (("--alpha", 0.3, "--photos", "gone"), "beta must lie between alpha, 0.3, and 1"),
        (("--alpha", 0.1, "--least-size", 99), "name photographs to calibrate on (--photos)"),
        (("--photos", "gone"), "gone: no such folder; name one that holds pictures"),
        (("--photos", "gone.png"), "gone.png is named as a picture is: name its folder"),
        (("--photos", "gone.parquet"), "no such manifest; make one with"),
    ],
)
def test_what_cannot_calibrate_is_named(exiface, tmp_path, arguments, reason):
    done = exiface("calibrate", "default", *arguments, "-o", tmp_path / "own", status=2)
    assert reason in done.err


def test_few_photographs_leave_the_limits_of_quality(small, manifest):
    limited = replace(small, quality=QualityLimits(size=44, jpeg_quality=30))
    after = calibrate(limited, manifest, name="own", promise=Promise(alpha=0.1))
    assert after.quality.as_dict() == limited.quality.as_dict()


def test_nothing_to_calibrate_with_is_an_error_that_says_so(exiface, tmp_path):
    done = exiface("calibrate", "default", "-o", tmp_path / "own")
    assert done.status == 2
    assert "--photos" in done.err
    assert "--alpha" in done.err


def test_the_least_size_that_was_asked_for_stays(small, manifest):
    asked = replace(small, provenance=small.provenance | {"least_size": 300})
    for promise, size in ((None, 300), (replace(promise_of(asked), least_size=400), 400)):
        after = calibrate(asked, manifest, name="own", promise=promise)
        assert (after.quality.size, after.provenance["least_size"]) == (size, size)
