import json
import pickle
import shutil

import numpy as np
import pytest
from made import tags_of
from made_layouts import write_fdf
from PIL import Image

from exiface.datasets import Manifest
from exiface.datasets.batches import FaceBatches
from exiface.errors import UserError
from exiface.papers.exif_ranking.fdf import read_fdf, read_photo_ids
from exiface.photos import CameraTags, Preprocessing


def test_every_documented_form_is_read(tmp_path):
    names = write_fdf(tmp_path, 8)
    manifest, summary = read_fdf(tmp_path)
    assert [path.rsplit("/", 1)[-1] for path in manifest.path] == [f"{name}.png" for name in names]
    tags = [tags_of(manifest, row) for row in range(8)]
    known = CameraTags(2.8, 1 / 200, 50, 200)
    assert tags[:4] == [known] * 4
    assert tags[4:6] == [CameraTags(None, 2.0, 85, 400)] * 2
    assert tags[6:] == [CameraTags(make="canon", series="eos")] * 2
    assert set(manifest.camera[6:]) == {"Canon EOS 550D"}
    assert list(manifest.photo[:3]) == ["70000", "70000", "70001"]
    assert np.allclose(manifest.box[0], np.array([0.2, 0.15, 0.8, 0.9]) * 128)
    assert summary.found == {
        **{"faces described": 8, "photo ids": 8, "records of BLADES": 0},
        **{"faces with manipulated images": 8},
    }
    assert not summary.left_out
    assert not summary.warnings


@pytest.mark.parametrize("folder", ["FDF/data/face_dataaug_neg", "data/face_dataaug_neg"])
def test_stored_manipulations_are_trained_on(tmp_path, folder):
    write_fdf(tmp_path, 8, manipulated=folder)
    manifest, _ = read_fdf(tmp_path)
    path = tmp_path / "fdf.parquet"
    manifest.write(path)
    faces = FaceBatches(Manifest.read(path), Preprocessing(32), seed=0)
    seen = set()
    for [batch] in faces.training(0, 12, 8):
        for crop, manipulated in zip(batch.crops, batch.manipulated, strict=True):
            # Ours are flat, in a colour that tells which of the four it is.
            assert (np.ptp(crop.reshape(-1, 3), axis=0).max() == 0) == manipulated
            if manipulated:
                seen.add(int(crop[0, 0, 0]))
    assert seen == {0, 10, 20, 30}


def test_an_incomplete_set_of_manipulations_is_made_instead(tmp_path, astronaut, face):
    x0, y0, x1, y1 = (int(side) for side in face.box)
    around = Image.fromarray(astronaut[y0 - 20 : y1 + 20, x0 - 20 : x1 + 20]).resize((128, 128))
    names = write_fdf(tmp_path, 4, pixels=np.asarray(around))
    (tmp_path / "FDF/data/face_dataaug_neg" / f"{names[0]}_2.png").unlink()
    manifest, summary = read_fdf(tmp_path)
    assert summary.found["faces with manipulated images"] == 3
    assert np.isfinite(manifest.landmarks[0]).all()  # found in the picture
    assert np.isnan(manifest.landmarks[1:]).all()  # not needed
    assert manifest.read_manipulated(0, 1) is None
    assert manifest.read_manipulated(1, 1).shape == (128, 128, 3)


@pytest.mark.parametrize("number", [5, 68])
def test_landmarks_of_the_data_are_taken(tmp_path, number):
    names = write_fdf(tmp_path, 2, manipulated=None)
    path = tmp_path / "FDF/data/fdf/fdf_metainfo.json"
    points = np.linspace(0.2, 0.7, 2 * number).reshape(number, 2)
    record = {"bounding_box": [0.2, 0.1, 0.9, 0.8], "landmark": points.tolist()}
    path.write_text(json.dumps(dict.fromkeys(names, record)))
    manifest, _ = read_fdf(tmp_path)
    expected = points if number == 5 else points[[33, 48, 54]]
    assert np.allclose(manifest.landmarks[0][-len(expected) :], expected * 128, atol=1e-3)
    if number == 68:
        assert np.allclose(manifest.landmarks[0][1], points[42:48].mean(0) * 128, atol=1e-3)


def test_blades_file_stands_in_for_the_records(tmp_path):
    write_fdf(tmp_path, 6, blades=True)
    manifest, summary = read_fdf(tmp_path)
    assert tags_of(manifest, 2) == CameraTags(
        *(2.8, 1 / 200, 50, 300), make="canon", metering_mode="others", white_balance="manual"
    )
    assert summary.found["records of BLADES"] == 6
    assert len(np.unique(manifest.photo)) == 6
    assert "may stand in training and validation both" in summary.warnings[0]


def test_exposures_as_denominators_are_noticed(tmp_path):
    write_fdf(tmp_path, 6, blades=True, exposure=200)
    manifest, summary = read_fdf(tmp_path)
    assert tags_of(manifest, 2).exposure_time == pytest.approx(1 / 200)
    assert "as denominators" in summary.warnings[0]


def test_what_is_missing_is_counted_and_named(tmp_path):
    names = write_fdf(tmp_path, 12)
    images = tmp_path / "FDF/data/fdf/images/128"
    (images / f"{names[0]}.png").write_bytes(b"not a picture")
    (images / "stranger.png").write_bytes((images / f"{names[1]}.png").read_bytes())
    exif = tmp_path / "fdf_ccby2_exif_update_filtered_v2"
    (exif / "70001.json").unlink()
    (exif / "70002.json").write_text("{")
    (exif / "70003.json").write_text("[1]")
    metainfo = tmp_path / "FDF/data/fdf/fdf_metainfo.json"
    described = json.loads(metainfo.read_text())
    described[names[8]]["bounding_box"] = [0.5, 0.5, 0.5, 2]
    del described[names[9]]
    metainfo.write_text(json.dumps(described))
    manifest, summary = read_fdf(tmp_path)
    assert {reason: len(files) for reason, files in summary.left_out.items()} == {
        **{"damaged image": 1, "no photo id": 1, "no EXIF file": 2},
        **{"damaged EXIF file": 4, "no usable box": 2},
    }
    assert len(manifest) == 3
    assert summary.files == 13


class Evil:
    def __reduce__(self):
        return (print, ("this was executed",))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"a": Evil()}, "asks for builtins.print"),
        ({"a": ["b"]}, "must hold a dictionary"),
        (None, "not the published dictionary"),
    ],
)
def test_nothing_from_a_pickle_is_executed(tmp_path, capsys, content, reason):
    path = tmp_path / "ids.pkl"
    path.write_bytes(b"\x80garbage" if content is None else pickle.dumps(content))
    with pytest.raises(UserError, match=reason):
        read_photo_ids(path)
    assert "executed" not in capsys.readouterr().out


def test_a_photo_id_does_not_lead_out_of_its_folder(tmp_path):
    path = tmp_path / "ids.pkl"
    path.write_bytes(pickle.dumps({"a": "../../secret", "b": 12, "c": "13"}))
    assert read_photo_ids(path) == {"b": "12", "c": "13"}


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("FDF/data/fdf/images", "the folder of FDF's faces"),
        ("FDF/data/fdf/fdf_metainfo.json", "FDF's boxes"),
        ("FDF/data/id_vs_fdfName.pkl", "holds no EXIF"),
        ("fdf_ccby2_exif_update_filtered_v2", "holds no EXIF"),
    ],
)
def test_a_folder_that_is_not_what_it_should_be(tmp_path, exiface, missing, reason):
    write_fdf(tmp_path, 4)
    path = tmp_path / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    target = tmp_path / "fdf.parquet"
    assert reason in exiface("prepare", "--layout", "fdf", tmp_path, "-o", target, status=2).err
    assert not target.exists()
