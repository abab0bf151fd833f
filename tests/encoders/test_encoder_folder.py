"""An encoder's folder: all of one encoder, or none."""

from dataclasses import replace

import numpy as np
import pytest

from exiface.encoders import EncoderError, EncoderFolder


@pytest.fixture
def files(encoder_folder):
    """An encoder with all that a folder of faces can hold."""
    return replace(
        EncoderFolder.read(encoder_folder),
        heads={"aperture": np.arange(8, dtype=np.float32)},
        classifier={"0.weight": np.ones((1, 8), np.float32), "0.bias": np.zeros(1, np.float32)},
        seen={"b" * 64, "a" * 64},
    )


def test_what_is_written_is_read(files, tmp_path):
    files.write(tmp_path / "encoder")
    found = EncoderFolder.read(tmp_path / "encoder")
    assert (found.model, found.description, found.seen) == (
        files.model,
        files.description,
        files.seen,
    )
    for name in ("heads", "classifier"):
        for key, array in getattr(files, name).items():
            np.testing.assert_array_equal(getattr(found, name)[key], array)


def test_nothing_of_a_former_encoder_stays_but_other_files_do(files, encoder_folder, tmp_path):
    files.write(tmp_path)
    (tmp_path / "metrics.jsonl").write_text("{}\n")
    EncoderFolder.read(encoder_folder).write(tmp_path)
    found = EncoderFolder.read(tmp_path)
    assert not found.heads
    assert not found.classifier
    assert not found.seen
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"encoder.json", "encoder.onnx", "metrics.jsonl"}


def test_stopped_on_the_way_there_is_no_encoder_rather_than_a_mixture(files, tmp_path):
    files.write(tmp_path)
    (tmp_path / "photographs.txt").unlink()
    (tmp_path / "photographs.txt").mkdir()  # so that the list can't be put there
    with pytest.raises(OSError, match=r"photographs\.txt"):
        replace(files, seen={"c" * 64}).write(tmp_path)
    with pytest.raises(EncoderError, match=r"encoder\.json missing"):
        EncoderFolder.read(tmp_path)


def test_a_damaged_file_is_named_with_what_can_be_done(files, tmp_path):
    files.write(tmp_path)
    (tmp_path / "classifier.safetensors").write_bytes(b"{}")
    with pytest.raises(EncoderError, match=r"classifier\.safetensors can't be used.*delete"):
        EncoderFolder.read(tmp_path)


def test_info_describes_an_encoder(files, tmp_path, exiface):
    files.write(tmp_path / "encoder")
    told = exiface("info", tmp_path / "encoder", status=0)
    for text in ("small: 32 x 32 px -> 8 features", "faces", "aperture", "2 photographs"):
        assert text in told.out
    assert '"architecture": "small"' in exiface("info", tmp_path / "encoder", "--json").out
    assert exiface("info", tmp_path / "encoder", "--card").status == 2
