import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_service import encoded
from PIL import Image

from exiface.photos import read_photo
from exiface.photos.quality import Quality, _standard_tables, frontality, jpeg_quality, texture


def test_blur_lowers_sharpness_at_any_size(astronaut):
    crop = astronaut[40:200, 150:310]
    sharp = Quality.of(crop, 100).sharpness
    assert Quality.of(cv2.GaussianBlur(crop, (0, 0), 3), 100).sharpness < sharp - 1
    large = cv2.resize(crop, (320, 320), interpolation=cv2.INTER_CUBIC)
    assert Quality.of(large, 200).sharpness == pytest.approx(sharp, abs=1)
    assert np.isfinite(Quality.of(np.zeros((160, 160, 3), np.uint8), 9).sharpness)


@given(st.floats(-3.1, 3.1), st.floats(0.2, 50), st.floats(-0.4, 1.4))
def test_frontality_knows_neither_turn_nor_scale(angle, scale, along):
    points = np.array([[0, 0], [1, 0], [along, 0.6]])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = frontality((points @ turn.T * scale + 7).astype(np.float32))
    assert turned == pytest.approx(max(-1, 1 - abs(2 * along - 1)), abs=1e-3)


def test_texture_tells_a_screenshot_from_a_photograph(astronaut):
    page = np.full((300, 400, 3), 250, np.uint8)
    page[40:60, 30:200] = np.random.default_rng(0).integers(0, 256, (20, 170, 3))
    shown = read_photo(encoded(page, "JPEG", quality=80)).pixels
    assert texture(shown) < 0.2
    assert texture(astronaut) > 0.8
    assert Quality.of_image(astronaut).texture == texture(astronaut)
    assert np.isnan(Quality.of(astronaut, 100).texture)
    assert np.isnan(texture(astronaut[:7]))


def test_tables_are_those_that_the_library_writes():
    for quality in range(1, 101):
        content = io.BytesIO()
        Image.new("L", (8, 8)).save(content, "JPEG", quality=quality)
        with Image.open(content) as image:
            assert jpeg_quality(image.quantization) == quality
            assert np.array_equal(_standard_tables()[quality - 1], image.quantization[0])
