import sqlite3

import numpy as np
import pytest
from PIL import Image

from exiface.encoders import EncoderFolder, OnnxEncoder
from exiface.evaluation.feature_cache import FeatureCache


class Counting(OnnxEncoder):
    """An encoder that counts what it encodes."""

    encoded = 0

    def encode(self, inputs):
        self.encoded += len(inputs)
        return super().encode(inputs)


@pytest.fixture
def made(encoder_folder, tmp_path):
    files = EncoderFolder.read(encoder_folder)
    model, description = files.model, files.description
    rng = np.random.default_rng(0)
    paths = []
    for number in range(40):
        path = tmp_path / "images" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (50, 40, 3), np.uint8)).save(path)
        paths.append(path)
    return Counting(model, description), model, paths, tmp_path / "kept"


def test_each_file_is_encoded_once_wherever_it_lies(made):
    encoder, model, paths, folder = made
    reported = []
    first = FeatureCache(folder, encoder, model).encode(
        paths, lambda *counts: reported.append(counts)
    )
    assert encoder.encoded == 40
    assert reported[-1] == (40, 40)
    moved = paths[3].with_name("moved.png")
    paths[3].rename(moved)
    paths[3] = moved
    again = FeatureCache(folder, encoder, model).encode(paths[::-1])
    assert encoder.encoded == 40
    assert np.array_equal(first, again[::-1])
    takes = encoder.description.preprocessing
    crops = [takes.crop(np.asarray(Image.open(path)), (0, 0, 40, 50)) for path in paths]
    assert np.allclose(first, encoder.encode(crops), atol=1e-5)


def test_another_encoder_or_mode_shares_nothing(made):
    encoder, model, paths, folder = made
    FeatureCache(folder, encoder, model).encode(paths[:5])
    FeatureCache(folder, encoder, model + b" ").encode(paths[:5])
    assert encoder.encoded == 10
    found = FeatureCache(folder, encoder, model, find_faces=True).encode(paths[:5])
    assert np.isnan(found).all()  # noise has no face


def test_what_cannot_be_read_has_no_features(made):
    encoder, model, paths, folder = made
    paths[1].write_bytes(b"no image")
    paths[2].unlink()
    features = FeatureCache(folder, encoder, model).encode(paths[:4])
    assert np.isfinite(features).all(axis=1).tolist() == [True, False, False, True]


def test_an_interrupted_run_keeps_whole_batches(made):
    encoder, model, paths, folder = made

    def interrupt(done, total):
        raise KeyboardInterrupt

    cache = FeatureCache(folder, encoder, model)
    with pytest.raises(KeyboardInterrupt):
        cache.encode(paths, interrupt)
    with sqlite3.connect(cache.path) as connection:
        [(kept,)] = connection.execute("SELECT count(*) FROM features")
    assert kept == 32
    cache.encode(paths)
    assert encoder.encoded == 40
