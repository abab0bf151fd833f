import zlib

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import write_photo
from made_service import encoded
from PIL import Image

from exiface.photos import CameraTags, UnreadableImageError, read_photo
from exiface.photos.images import decode

EXPECTED = CameraTags(2.8, 1 / 200, 50, 100, make="others", series="others")


@pytest.mark.parametrize("suffix", ["jpg", "tiff", "png", "webp", "heic"])
def test_tags_and_pixels_of_every_format(tmp_path, astronaut, suffix):
    pillow_heif.register_heif_opener()
    photo = read_photo(write_photo(tmp_path / f"photo.{suffix}", astronaut))
    assert photo.tags == EXPECTED
    assert photo.camera == "Maker One"
    assert photo.pixels.shape == astronaut.shape
    assert np.abs(photo.pixels.astype(int) - astronaut).mean() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(tmp_path, orientation):
    upright = np.zeros((40, 60, 3), np.uint8)
    upright[:10, :20] = (255, 0, 0)  # a red corner on the top left
    # What the sensor saw, if the given orientation is what turns it upright.
    rows, columns, swapped = [
        *((1, 1, 0), (1, -1, 0), (-1, -1, 0), (-1, 1, 0)),
        *((1, 1, 1), (1, -1, 1), (-1, -1, 1), (-1, 1, 1)),
    ][orientation - 1]
    stored = upright[::rows, ::columns]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    stored = stored.transpose(1, 0, 2) if swapped else stored
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif)
    assert np.array_equal(read_photo(path).pixels, upright)


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [
        ("L", 100, 100),
        ("I;16", 25700, 100),
        ("P", 3, None),
        ("RGBA", (0, 0, 0, 0), 255),
        ("LA", (0, 0), 255),
        ("CMYK", (0, 0, 0, 155), 100),
        ("1", 1, 255),
    ],
)
def test_modes_become_rgb(mode, color, expected):
    pixels = read_photo(Image.new(mode, (5, 4), color)).pixels
    assert pixels.shape == (4, 5, 3)
    assert pixels.dtype == np.uint8
    if expected is not None:
        assert np.abs(pixels.astype(int) - expected).max() <= 1


def test_what_is_no_image_is_refused_with_a_reason(tmp_path):
    bomb = bytearray(encoded(np.zeros((8, 8, 3), np.uint8), "PNG"))
    bomb[16:24] = (30_000).to_bytes(4, "big") * 2  # refused before it is decoded
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
    for content, reason in (
        (b"", "empty"),
        (b"not an image at all", "not an image"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "not an image|damaged"),
        (bytes(bomb), "megapixels"),
        (tmp_path / "absent.jpg", "no such file"),
        (tmp_path, "folder"),
    ):
        with pytest.raises(UnreadableImageError, match=reason):
            read_photo(content)


def test_arrays_of_another_kind_are_refused():
    for array in (np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(UnreadableImageError, match="expected"):
            read_photo(array)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_never_a_crash(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "whole.jpg"
    if not path.exists():
        write_photo(path, np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    content = bytearray(path.read_bytes()[: data.draw(st.integers(0, path.stat().st_size))])
    for place in data.draw(st.lists(st.integers(0, max(0, len(content) - 1)), max_size=8)):
        if content:
            content[place] ^= data.draw(st.integers(1, 255))
    try:
        photo = decode(bytes(content))
    except UnreadableImageError as error:
        assert str(error)
    else:
        assert photo.pixels.ndim == 3
