import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from exiface.detector import Detector, DetectorError
from exiface.detector.cross_check import CrossCheck
from exiface.detector.folder import read_folder, write_folder


@pytest.fixture
def copy(detector_folder, tmp_path):
    return shutil.copytree(detector_folder, tmp_path / "copy")


def test_what_is_written_is_read(parts, detector_folder):
    read = read_folder(detector_folder)
    assert {path.name for path in detector_folder.iterdir()} == {
        *("detector.json", "encoder.onnx", "density.safetensors"),
        *("calibration.safetensors", "photographs.safetensors", "MODEL_CARD.md"),
    }
    assert read.name == "small"
    assert read.encoder == parts.encoder
    assert np.array_equal(read.calibration.scores, parts.calibration.scores)
    assert (read.calibration.alpha, read.calibration.beta) == (0.05, 0.2)
    assert read.card == parts.card
    assert len(read.digest) == 64
    for name, array in parts.scorer.arrays().items():
        assert np.array_equal(read.scorer.arrays()[name], array)


def test_tags_beside_others_are_written_as_they_are(parts, tmp_path):
    rng = np.random.default_rng(0)
    width = parts.encoder.features
    tags = rng.uniform(1, 9, (30, 7))  # more columns than are checked: a view with gaps
    features = rng.normal(size=(30, width)).astype(np.float32)
    check = CrossCheck.of(rng.normal(size=(4, width)).astype(np.float32), features, tags)
    write_folder(replace(parts, cross_check=check), tmp_path / "detector")
    read = read_folder(tmp_path / "detector").cross_check
    assert np.array_equal(read.recorded, tags[:, :4])
    assert np.array_equal(read.expected, check.expected)


@pytest.mark.parametrize(
    "name", ["encoder.onnx", "density.safetensors", "calibration.safetensors", "MODEL_CARD.md"]
)
def test_a_changed_or_missing_file_is_refused(copy, name):
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(DetectorError, match=f"{name} is not the file"):
        read_folder(copy)
    (copy / name).unlink()
    with pytest.raises(DetectorError, match=f"{name} is missing"):
        read_folder(copy)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 4}, "version 4"),
        ({"format": "something else"}, "does not describe"),
        ({"plug_in": "os.system"}, "unknown or missing: plug_in"),
        ({"files": {"../../etc/passwd": ""}}, "unknown or missing"),
        ({"bands": {"alpha": 0.5, "beta": 0.1}}, "can't be used"),
        ({"encoder": {"version": 1}}, "can't be used"),
    ],
)
def test_an_unknown_description_is_refused(copy, change, reason):
    path = copy / "detector.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DetectorError, match=reason):
        read_folder(copy)


def test_other_folders_are_refused(copy, tmp_path, parts):
    with pytest.raises(DetectorError, match="exiface fit"):
        read_folder(tmp_path / "absent")
    (copy / "detector.json").write_text("{")
    with pytest.raises(DetectorError, match="not JSON"):
        read_folder(copy)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    with pytest.raises(DetectorError, match="other files"):
        write_folder(parts, tmp_path / "full")
    assert (tmp_path / "full" / "thesis.txt").exists()


def test_a_detector_is_replaced_whole(copy, parts):
    write_folder(parts, copy)
    assert read_folder(copy).name == "small"
    assert not list(copy.parent.glob(".copy-*"))


def test_a_folder_of_the_first_version_is_read(copy):
    path = copy / "detector.json"
    described = json.loads(path.read_text()) | {"version": 1}
    del described["quality"]
    path.write_text(json.dumps(described))
    parts = read_folder(copy)
    assert parts.generated is None
    assert parts.quality.as_dict() == {}


def test_a_folder_from_a_hub_is_loaded_with_what_lies_beside(detector_folder, tmp_path):
    """Its card once more as README.md, and files of version control."""
    hub = tmp_path / "hub"
    shutil.copytree(detector_folder, hub)
    shutil.copy(hub / "MODEL_CARD.md", hub / "README.md")
    (hub / ".gitattributes").write_text("*.onnx filter=lfs\n")
    assert Detector.load(hub).id == Detector.load(detector_folder).id
