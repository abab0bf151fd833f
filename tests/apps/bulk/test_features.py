import json

import pytest
from made import write_photo
from PIL import Image
from pyarrow import parquet

from exiface.apps.bulk import features as module
from exiface.encoders import EncoderFolder
from exiface.photos import FaceDetector, read_photo


def rows(path):
    return parquet.read_table(path).to_pylist()


def test_one_row_a_face_with_the_vector_of_its_crop(exiface, encoder_folder, photos, tmp_path):
    file = tmp_path / "features.parquet"
    exiface(
        "features", photos, "-o", file, "--encoder", encoder_folder, "--block", 25, status=1
    )  # a landscape and a broken file have none
    found = {row["path"]: row for row in rows(file)}
    assert len(found) == 62
    encoder = EncoderFolder.read(encoder_folder).open()
    for path in (photos / "0" / "00.jpg", photos / "2" / "59.jpg"):
        pixels = read_photo(path).pixels
        [face] = FaceDetector().detect(pixels)
        row = found[str(path)]
        assert row["box"] == pytest.approx(face.box)
        crop = encoder.description.preprocessing.crop(pixels, face.box)
        assert row["vector"] == pytest.approx(encoder.encode([crop])[0].tolist(), abs=1e-5)
        assert row["reason"] is None
    assert found[str(photos / "landscape.png")]["reason"] == "no face found"
    assert found[str(photos / "broken.jpg")]["vector"] is None
    assert parquet.read_schema(file).field("vector").type.value_type == "float"
    assert [each.name for each in tmp_path.iterdir()] == ["features.parquet"]


def test_a_cropped_face_is_taken_whole(exiface, encoder_folder, astronaut, tmp_path):
    Image.fromarray(astronaut[40:200, 150:310]).save(tmp_path / "face.png")
    file = tmp_path / "features.parquet"
    face = ("features", tmp_path / "face.png", "--cropped", "--encoder", encoder_folder)
    exiface(*face, "-o", file, status=0)
    [row] = rows(file)
    assert row["box"] == [0, 0, 160, 160]
    encoder = EncoderFolder.read(encoder_folder).open()
    crop = encoder.description.preprocessing.crop(astronaut[40:200, 150:310], (0, 0, 160, 160))
    assert row["vector"] == pytest.approx(encoder.encode([crop])[0].tolist(), abs=1e-5)


def test_an_interrupted_run_goes_on_and_another_encoder_is_refused(
    exiface, encoder_folder, patch_folder, photos, tmp_path, monkeypatch
):
    command = ("features", photos / "0", "-o", tmp_path / "f.parquet", "--block", 5, "--encoder")
    monkeypatch.setattr(module, "join_parts", lambda *_: 1 / 0)  # killed before the end
    with pytest.raises(ZeroDivisionError):
        exiface(*command, encoder_folder)
    parts = sorted((tmp_path / "f.parquet.parts").glob("part-*.parquet"))
    assert len(parts) == 4
    kept = [part.stat().st_mtime_ns for part in parts[1:]]
    parts[0].unlink()
    assert "was made by small@" in exiface(*command, patch_folder, status=2).err
    with pytest.raises(ZeroDivisionError):
        exiface(*command, encoder_folder)
    assert [part.stat().st_mtime_ns for part in parts[1:]] == kept
    monkeypatch.undo()
    assert exiface(*command, encoder_folder).status == 0
    assert len(rows(tmp_path / "f.parquet")) == 20
    assert "is there already" in exiface(*command, encoder_folder, status=2).err


def test_an_encoder_of_images_makes_a_detector_of_images(
    exiface, patch_folder, astronaut, tmp_path
):
    for number in range(9):  # of one patch each
        write_photo(tmp_path / f"photos/{number}.png", astronaut[:70, 40 * number :][:, :80])
    fitted = ("fit", "--encoder", patch_folder, "--photos", tmp_path / "photos")
    exiface(*fitted, "-o", tmp_path / "d", "--components", 1, "--alpha", 0.2, "--as-sent", status=0)
    assert (tmp_path / "d" / "attention.safetensors").exists()
    assert "saved again, and shrunk" in (tmp_path / "d" / "MODEL_CARD.md").read_text("utf-8")
    judged = ("detect", tmp_path / "photos/0.png", "--detector", tmp_path / "d", "--json")
    image = json.loads(exiface(*judged).out)["image"]
    assert image["log_likelihood"] == -image["score"]
    assert exiface(*judged, "--subject", "both").status == 2
