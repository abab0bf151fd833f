import numpy as np
import pytest
from PIL import Image

from exiface.papers.sdaie.scene_sets import RELEASED_NOISES

FILES = {"resize": "resize05", "blur": "blur1", "jpg": "jpg95"}


def test_each_noise_is_the_released_one_to_the_pixel(shared_reference):
    pixels = np.asarray(Image.open(shared_reference / "sdaie_square_256x256.png").convert("RGB"))
    for name, file in FILES.items():
        expected = np.asarray(
            Image.open(shared_reference / f"sdaie_square_{file}.png").convert("RGB")
        )
        found = RELEASED_NOISES[name](pixels)
        if name == "jpg":  # versions of the JPEG library differ by a grey level
            assert np.abs(found.astype(int) - expected).max() <= 2
        else:
            assert np.array_equal(found, expected), name


@pytest.mark.parametrize("name", RELEASED_NOISES)
def test_pictures_keep_their_kind(name):
    pixels = np.random.default_rng(0).integers(0, 256, (51, 70, 3), np.uint8)
    before = pixels.copy()
    found = RELEASED_NOISES[name](pixels)
    assert found.dtype == np.uint8
    assert found.shape == ((25, 35, 3) if name == "resize" else pixels.shape)
    assert np.array_equal(pixels, before)
