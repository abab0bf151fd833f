import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from made import write_photo
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from exiface.photos.exif_fields import exif_fields

PIXELS = np.zeros((40, 60, 3), np.uint8)


def with_exif(fields, sub=(), gps=()):
    exif = Image.Exif()
    exif.update(fields)
    exif.get_ifd(0x8769).update(sub)
    exif.get_ifd(0x8825).update(gps)
    content = io.BytesIO()
    Image.fromarray(PIXELS).save(content, "JPEG", exif=exif)
    return content.getvalue()


def by_name(content):
    return {field.name: field for field in exif_fields(content)}


def test_every_field_has_its_name_and_its_group(tmp_path):
    found = by_name(write_photo(tmp_path / "photo.jpg", PIXELS).read_bytes())
    assert found["Make"].value == "Maker"
    assert found["FNumber"].value == "2.8"
    assert found["ExposureTime"].value == "1/200"
    assert found["ISOSpeedRatings"].value == "100"
    assert {field.group for field in found.values()} == {"Image", "Exif"}
    assert "ExifOffset" not in found


def test_odd_values_are_shown_safely_and_long_ones_cut_with_a_note():
    content = with_exif(
        {0x010E: "<script>\x1b[31m\u202e\n x" + "y" * 3000, 0x9C9B: "Titel é".encode("utf-16-le")},
        {
            0x927C: bytes(range(256)) * 20,
            0x9286: b"UNICODE\0" + "Grüße".encode("utf-16-le"),
            0x829A: IFDRational(1, 0),
            0x9000: b"0232",
            0xEEEE: "unknown to all",
        },
        {1: "N", 2: (52.0, 31.0, 12.5)},
    )
    found = by_name(content)
    title = found["ImageDescription"]
    assert title.value.isprintable()
    assert title.value.startswith("<script> [31m")
    assert title.note.startswith("the first 400 of 3,0")
    assert found["XPTitle"].value == "Titel é"
    assert found["UserComment"].value == "Grüße"
    assert found["MakerNote"].value.startswith("00 01 02")
    assert found["MakerNote"].note == "the first 48 of 5,120 bytes"
    assert found["ExposureTime"].value == "1/0"
    assert found["ExifVersion"].value == "0232"
    assert found["field 0xeeee"].value == "unknown to all"
    assert found["GPSLatitude"].value == "52, 31, 12.5"
    assert found["GPSLatitude"].group == "GPS"


def test_no_file_no_fields():
    assert exif_fields(b"") == exif_fields(b"no image") == ()
    assert exif_fields(with_exif({})[:200]) == ()


@given(st.integers(0, 400), st.binary(min_size=1, max_size=60))
def test_garbled_exif_never_raises(place, noise):
    content = bytearray(with_exif({0x010F: "Maker", 0x0112: 1}, {0x829D: IFDRational(28, 10)}))
    content[20 + place % 200 : 20 + place % 200 + len(noise)] = noise
    for field in exif_fields(bytes(content)):
        assert field.value.isprintable()
