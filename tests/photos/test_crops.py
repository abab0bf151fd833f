import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.transforms import v2

from exiface.photos import Preprocessing
from exiface.photos.crops import resize, square_about, to_crop

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


@given(st.floats(100, 200), st.floats(100, 200))
def test_away_from_the_border_the_square_is_centred(x, y):
    x0, y0, x1, y1 = square_about((x, y, x + 30, y + 50), 1.3, 1000, 1000)
    assert (x0 + x1) / 2 == pytest.approx(x + 15, abs=1)
    assert (y0 + y1) / 2 == pytest.approx(y + 25, abs=1)


@pytest.mark.parametrize("size", [64, 128, 224, 400])
def test_resizing_is_torchvisions_antialiased_bilinear(astronaut, size):
    ours = resize(astronaut, (0, 0, 512, 512), size)
    tensor = torch.from_numpy(astronaut).permute(2, 0, 1)
    theirs = v2.functional.resize(tensor, [size, size], antialias=True).permute(1, 2, 0).numpy()
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_normalising_agrees_with_the_formula(astronaut):
    preprocessing = Preprocessing(512)
    batch = preprocessing.normalise(astronaut[None])
    assert batch.shape == (1, 3, 512, 512)
    assert batch.dtype == np.float32
    for channel in range(3):
        plain = (astronaut[..., channel] / 255 - preprocessing.mean[channel]) / preprocessing.std[
            channel
        ]
        assert np.allclose(batch[0, channel], plain, atol=1e-5)


def test_points_land_where_their_pixels_do(astronaut):
    marked = np.zeros_like(astronaut)
    marked[200:204, 300:304] = 255
    square = (250, 150, 350, 250)
    crop = resize(marked, square, 200)
    rows, columns = np.nonzero(crop[..., 0] > 128)
    centre = to_crop(np.array([[302, 202]], np.float32), square, 200)[0]
    assert np.allclose(centre, [columns.mean() + 0.5, rows.mean() + 0.5], atol=1)


def test_a_description_survives_json():
    import json

    preprocessing = Preprocessing(128, 1.5)
    assert Preprocessing.from_dict(json.loads(json.dumps(preprocessing.as_dict()))) == preprocessing
    with pytest.raises(TypeError):
        Preprocessing.from_dict({"size": 128, "colour": "blue"})
    with pytest.raises(ValueError, match="positive"):
        Preprocessing(0)
