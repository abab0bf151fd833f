import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.transforms import v2

from exiface.photos import Preprocessing
from exiface.photos.crops import as_shown, released_crop, resize, square_about, to_crop

sides = st.integers(1, 3000)
coordinates = st.floats(-500, 3500)


@given(
    coordinates,
    coordinates,
    st.floats(1, 2000),
    st.floats(1, 2000),
    st.floats(0.5, 3),
    sides,
    sides,
)
def test_the_square_is_square_and_inside(x, y, box_width, box_height, scale, width, height):
    x0, y0, x1, y1 = square_about((x, y, x + box_width, y + box_height), scale, width, height)
    assert x1 - x0 == y1 - y0 >= 1
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
    assert x1 - x0 == max(1, min(int(max(box_width, box_height) * scale), width, height)) or (
        abs((x1 - x0) - max(box_width, box_height) * scale) < 1.5  # rounding of x + width - x
    )


@pytest.mark.parametrize(
    ("box", "scale", "square"),
    [
        # The side is rounded down, the corner to the nearest whole pixel, a half to the even one.
        ((10.0, 10.0, 40.9, 40.0), 1.52, (2, 2, 48, 48)),
        ((100.0, 100.0, 119.0, 131.0), 1.3, (90, 96, 130, 136)),
        ((101.4, 99.7, 120.4, 130.7), 1.3, (91, 95, 131, 135)),
        ((100.0, 100.0, 101.0, 103.0), 1.0, (99, 100, 102, 103)),
    ],
)
def test_the_square_is_rounded_as_it_was_trained_with(box, scale, square):
    assert square_about(box, scale, 1000, 1000) == square


@pytest.mark.parametrize("size", [64, 128, 224, 400])
def test_resizing_is_torchvisions_antialiased_bilinear(astronaut, size):
    ours = resize(astronaut, (0, 0, 512, 512), size)
    tensor = torch.from_numpy(astronaut).permute(2, 0, 1)
    theirs = v2.functional.resize(tensor, [size, size], antialias=True).permute(1, 2, 0).numpy()
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_normalising_agrees_with_the_formula(astronaut):
    takes = Preprocessing(512)
    batch = takes.normalise(astronaut[None])
    assert batch.dtype == np.float32
    plain = (astronaut / 255 - takes.mean) / takes.std
    assert np.allclose(batch, plain.transpose(2, 0, 1)[None], atol=1e-5)


def test_points_land_where_their_pixels_do(astronaut):
    marked = np.zeros_like(astronaut)
    marked[200:204, 300:304] = 255
    square = (250, 150, 350, 250)
    crop = resize(marked, square, 200)
    rows, columns = np.nonzero(crop[..., 0] > 128)
    centre = to_crop(np.array([[302, 202]], np.float32), square, 200)[0]
    assert np.allclose(centre, [columns.mean() + 0.5, rows.mean() + 0.5], atol=1)


# Boxes in 128 px, and left, top, width and height of the released program's crop of them.
RELEASED = [
    ((0.2, 0.25, 0.7, 0.8), (13, 22, 91, 91)),
    ((0.0, 0.05, 0.5, 0.9), (0, 0, 128, 128)),
    ((0.31, 0.4, 0.98, 0.99), (27, 34, 101, 94)),
    ((0.1875, 0.2109375, 0.8125, 0.8359375), (12, 15, 104, 104)),
    ((0.05, 0.05, 0.95, 0.95), (0, 0, 128, 128)),
    ((0.45, 0.5, 0.55, 0.6), (56, 62, 16, 16)),
]


@pytest.mark.parametrize(("shares", "rectangle"), RELEASED)
@pytest.mark.parametrize("antialias", [False, True])
def test_released_crops_are_torchvisions_of_the_published_rectangles(
    astronaut, shares, rectangle, antialias
):
    pixels = astronaut[40:168, 150:278]
    left, top, width, height = rectangle
    cut = pixels[top : top + height, left : left + width]
    tensor = torch.from_numpy(cut).permute(2, 0, 1).float()
    for size in (224, 48):
        expected = v2.functional.resize(tensor, [size, size], antialias=antialias)
        box = tuple(128 * share for share in shares)
        found = released_crop(pixels, box, 1.3, size, antialias=antialias)
        assert np.abs(found - expected.permute(1, 2, 0).numpy()).max() < 0.01  # of 255


def test_a_whole_picture_is_taken_as_it_is_and_stretched(astronaut):
    pixels = astronaut[:300, :260]
    preprocessing = Preprocessing(224, released="plain")
    crop = preprocessing.crop(pixels, (0, 0, 260, 300))
    assert crop.dtype == np.float32
    tensor = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float()
    expected = v2.functional.resize(tensor, [224, 224], antialias=False).permute(1, 2, 0).numpy()
    assert np.abs(crop - expected).max() < 0.01
    assert as_shown(crop).dtype == np.uint8
    assert np.abs(as_shown(crop) - expected).max() <= 0.51
