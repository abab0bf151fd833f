import json

import pytest
from PIL import Image


@pytest.fixture(scope="module")
def folder(photos, tmp_path_factory):
    return photos, tmp_path_factory.mktemp("drift")


def test_from_scores_to_a_verdict_on_the_calibration(folder, exiface):
    photos, made = folder
    exiface("score", photos, "-o", made / "run")
    exiface("detect", photos, "--csv", made / "scores.csv")
    told = exiface("drift", made / "run", "--plot", made / "drift.svg")
    assert "60 recent photographs were compared with " in told.out
    assert "photographs of the calibration" in told.out
    assert (made / "drift.svg").read_text().startswith("<svg")
    found = [
        json.loads(exiface("drift", path, "--json").out)
        for path in (made / "run", made / "run" / "part-000000.parquet", made / "scores.csv")
    ]
    assert found[0] == found[1] == found[2]
    assert told.status == int(found[0]["drifted"])


def test_scores_of_another_detector_are_refused(folder, exiface, few_photos, tmp_path):
    exiface("score", few_photos, "-o", tmp_path / "run")
    exiface("detect", few_photos, "--csv", tmp_path / "scores.csv")
    for path in (tmp_path / "run", tmp_path / "scores.csv"):
        done = exiface("drift", path, "--detector", "photographs-only")
        assert done.status == 2
        assert "holds scores of exiface-default@" in done.err
        assert "not of exiface-photographs-only@" in done.err


def test_whole_images_drift_too(exiface, astronaut, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for number in range(20):  # of parts without a face
        start = 10 * number
        Image.fromarray(astronaut[300:364, start : start + 64]).save(images / f"{number}.png")
    whole = ("--detector", "whole-image")
    exiface("score", images, "-o", tmp_path / "run", *whole)
    exiface("detect", images, "--csv", tmp_path / "scores.csv", *whole)
    for path in (tmp_path / "run", tmp_path / "scores.csv"):
        done = exiface("drift", path, "--json", *whole)
        assert json.loads(done.out)["photographs"] == 20, done.err
    of_faces = exiface("drift", tmp_path / "scores.csv")
    assert of_faces.status == 2
    assert "holds no verdict on a face" in of_faces.err


@pytest.mark.parametrize(
    ("name", "reason"),
    [("notes.csv", "no column `p_value`"), ("x.parquet", "is no part"), ("", "holds no parts")],
)
def test_other_files_are_refused(exiface, tmp_path, name, reason):
    if name:
        (tmp_path / name).write_text("a,b\n")
    done = exiface("drift", tmp_path / name)
    assert done.status == 2
    assert reason in done.err
