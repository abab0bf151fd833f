"""The whole way in miniature: from photographs with EXIF to a detector."""

import json

import pytest
from made import write_photo
from made_training import small

from exiface.datasets import Manifest
from exiface.encoders.architectures import ARCHITECTURES


def test_from_photographs_to_a_detector(exiface, photos, tmp_path, monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "compact", small())
    manifest, run, folder = tmp_path / "m.parquet", tmp_path / "run", tmp_path / "detector"
    splits = "train=0.3,validation=0.1,fit=0.2,calibration=0.4"

    prepared = exiface("prepare", photos, "-o", manifest, "--splits", splits, status=0)
    assert "60 faces" in prepared.out
    assert "left out: 1 - no face found" in prepared.out
    summary = json.loads((tmp_path / "m.parquet.summary.json").read_text())
    assert summary["rows"] == len(Manifest.read(manifest)) == 60
    assert not (tmp_path / "m.parquet.journal").exists()

    settings = ["epochs=1", "batch_size=8", "warmup_epochs=0.5", "max_faces_per_camera=16"]
    trained = exiface(
        *("train", "--data", manifest, "-o", run),
        *(part for setting in settings for part in ("--set", setting)),
        status=0,
    )
    assert "training on cpu in " in trained.err
    assert "step 2/2" in trained.err
    steps = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert max(steps) == 2

    fitted = exiface(
        *("fit", "--encoder", run, "--photos", manifest, "-o", folder),
        *("--components", 1, "--notice", "A toy."),
        status=0,
    )
    assert "compact: 32 x 32 px -> 16 features" in fitted.out

    described = exiface("info", folder)
    assert described.out.strip() == fitted.out.strip()
    assert "A toy." in described.out
    assert "\n# detector\n" in exiface("info", folder, "--card").out
    row = json.loads(exiface("detect", photos / "0/00.jpg", "--detector", folder, "--json").out)
    assert row["detector"].startswith("detector@")


def test_photographs_without_tags_are_good_for_fit_only(exiface, tmp_path, astronaut):
    for number in range(12):
        write_photo(tmp_path / "photos" / f"{number}.jpg", astronaut[:, number:], None)
    prepared = exiface("prepare", tmp_path / "photos", "-o", tmp_path / "m.parquet", status=0)
    assert "No photograph has a camera tag" in prepared.out
    trained = exiface("train", "--data", tmp_path / "m.parquet", "-o", tmp_path / "run", status=2)
    assert "nothing to rank" in trained.err


def test_prepare_warns_of_what_was_hardly_meant(exiface, photos, tmp_path):
    (tmp_path / "records.csv").write_text("file,group\n0/00.jpg,a\n")
    prepare = ("prepare", photos / "0", "--records", tmp_path / "records.csv", "--json")
    told = exiface(*prepare, "-o", tmp_path / "m.parquet", status=0)
    assert "none of the 1 rows of the records names a file" in told.err
    warnings = json.loads(told.out)["warnings"]
    assert [f"warning: {each}" for each in warnings] == told.err.splitlines()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("prepare", "absent", "-o", "m.parquet"), "is not a folder"),
        (("prepare", ".", "-o", "m.parquet"), "holds no image"),
        (("prepare", ".", "-o", "m.parquet", "--splits", "test=1"), "unknown test"),
        (("train", "--data", "absent.parquet", "-o", "run"), "exiface prepare"),
        (("train", "--data", "m", "-o", "run", "--set", "epoch=1"), "unknown key"),
        (("fit", "--encoder", ".", "--photos", "m.parquet", "-o", "d"), "holds no encoder"),
        (("info", "absent"), "exiface fit"),
    ],
)
def test_mistakes_are_said_in_one_line(exiface, tmp_path, monkeypatch, arguments, reason):
    monkeypatch.chdir(tmp_path)
    finished = exiface(*arguments, status=2)
    assert reason in finished.err
    assert finished.err.count("\n") == 1
