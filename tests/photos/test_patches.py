from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from exiface.photos.patches import Patches

REFERENCE = Path(__file__).parents[1] / "reference"
SIDES = st.integers(1, 300)


def numbered(height: int, width: int) -> np.ndarray:
    """An image whose pixels say where they lie, and are never black."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x % 256, y % 256, np.full_like(x, 255)], axis=2).astype(np.uint8)


@given(SIDES, SIDES, st.sampled_from(["whole", "published"]))
def test_patches_lie_where_they_are_said_to(height, width, crop):
    pixels = numbered(height, width)
    reader = Patches(crop=crop)
    patches, boxes = reader.cut(pixels), reader.boxes(width, height)
    assert patches.shape == (len(boxes), 64, 64, 3)
    if min(height, width) < 64:
        assert boxes.tolist() == [[0, 0, width, height]]
        return
    # The slow twin: each pixel looked up by itself, black outside of the image.
    around = np.pad(pixels, ((400, 400), (400, 400), (0, 0)))
    for patch, (x0, y0, x1, y1) in zip(patches, boxes + 400, strict=True):
        assert np.array_equal(patch, around[y0:y1, x0:x1])
    if crop == "whole":
        assert len(boxes) == (height // 64) * (width // 64)
        assert boxes.min() >= 0
        assert boxes[:, 2].max() <= width and boxes[:, 3].max() <= height
        assert abs(boxes[0, 0] - (width - boxes[-1, 2])) <= 1  # the middle of the image


def test_the_published_crop_of_a_landscape_has_black_rows():
    reader = Patches(crop="published")
    with np.load(REFERENCE / "sdaie.npz") as numbers:
        expected = numbers["wide_patch0"]
    pixels = np.asarray(Image.open(REFERENCE / "sdaie_wide_320x200.png").convert("RGB"))
    patches = reader.cut(pixels)
    assert len(patches) == 15
    assert (patches[0][:60] == 0).all()
    assert np.abs(reader.normalise(patches[:1])[0] - expected).max() < 1e-6


@given(st.integers(64, 700), st.integers(64, 700), st.integers(1, 40))
def test_more_patches_than_wanted_are_spread_over_the_image(height, width, most):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    every = Patches().cut(pixels)
    chosen = Patches(most=most, chosen="evenly")
    cut, boxes = chosen.cut(pixels), chosen.boxes(width, height)
    assert len(cut) == len(boxes) == min(most, len(every))
    for patch, (x0, y0, x1, y1) in zip(cut, boxes, strict=True):
        assert np.array_equal(patch, pixels[y0:y1, x0:x1])
    assert np.array_equal(cut[0], every[0])
    if len(cut) > 1:
        assert np.array_equal(cut[-1], every[-1])
