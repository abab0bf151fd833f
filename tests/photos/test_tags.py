import io
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import write_photo
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from exiface.photos.exif_fields import exif_fields
from exiface.photos.tags import TAG_NAMES, CameraTags, camera_name, read_exif

Base = ExifTags.Base
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(),
    st.binary(),
    st.fractions(),
    st.builds(IFDRational, st.integers(-(2**31), 2**31), st.integers(-(2**31), 2**31)),
    st.just(IFDRational(1, 0)),
    st.complex_numbers(),
    st.lists(st.integers(), max_size=3),
    st.tuples(st.floats(), st.text()),
    st.dictionaries(st.integers(), st.text(), max_size=2),
)
fields = st.sampled_from(
    [
        *(Base.FNumber, Base.ApertureValue, Base.ExposureTime, Base.ShutterSpeedValue),
        *(Base.FocalLength, Base.ISOSpeedRatings, Base.ISOSpeed, Base.RecommendedExposureIndex),
    ]
)


def assert_sound(tags: CameraTags) -> None:
    for name in TAG_NAMES:
        value = getattr(tags, name)
        assert value is None or (isinstance(value, float) and math.isfinite(value) and value > 0)


@given(st.dictionaries(fields, anything))
def test_whatever_stands_in_exif_gives_positive_numbers_or_nothing(exif):
    assert_sound(CameraTags.from_exif(exif))


@given(
    st.dictionaries(st.sampled_from(["ISO Speed Ratings", "Aperture Value"]), anything) | anything
)
def test_whatever_flickr_reports_gives_positive_numbers_or_nothing(record):
    tags = CameraTags.from_flickr({"EXIF": record})
    assert_sound(tags)
    assert tags == CameraTags() or isinstance(record, dict)


@given(
    st.fractions(Fraction(1, 2), 64, max_denominator=100),
    st.integers(1, 8000),
    st.floats(1, 1200),
    st.integers(25, 409600).filter(lambda iso: iso != 65535),
)
def test_plausible_values_come_back_as_they_are(aperture, denominator, focal_length, iso):
    tags = CameraTags.from_exif(
        {
            Base.FNumber: IFDRational(aperture.numerator, aperture.denominator),
            Base.ExposureTime: IFDRational(1, denominator),
            Base.FocalLength: focal_length,
            Base.ISOSpeedRatings: (iso, 0),
        }
    )
    assert tags.aperture == pytest.approx(float(aperture))
    assert tags.exposure_time == pytest.approx(1 / denominator)
    assert tags.focal_length == pytest.approx(focal_length)
    assert tags.iso_speed == iso


def test_apex_values_stand_in():
    tags = CameraTags.from_exif({Base.ApertureValue: 4.0, Base.ShutterSpeedValue: -1.0})
    assert (tags.aperture, tags.exposure_time) == (4.0, 2.0)
    both = CameraTags.from_exif({Base.FNumber: 2.8, Base.ApertureValue: 4.0})
    assert both.aperture == 2.8


def test_a_full_iso_field_means_that_the_value_stands_elsewhere():
    tags = CameraTags.from_exif(
        {Base.ISOSpeedRatings: 65535, Base.RecommendedExposureIndex: 102400}
    )
    assert tags.iso_speed == 102400


@pytest.mark.parametrize(
    ("key", "text", "name", "value"),
    [
        ("Aperture Value", "F2.8", "aperture", 2.8),
        ("Aperture Value", "F", "aperture", None),
        ("Aperture Value", "28/10", "aperture", 2.8),
        ("Aperture Value", "28/0", "aperture", None),
        ("Exposure Time", "1/200 sec", "exposure_time", 1 / 200),
        ("Exposure Time", "0.005 sec (1/200)", "exposure_time", 0.005),
        ("Exposure Time", "__import__('os').getpid()", "exposure_time", None),
        ("Focal Length", "50.0 mm", "focal_length", 50),
        ("ISO Speed Ratings", "200", "iso_speed", 200),
        ("ISO Speed Ratings", "9" * 500, "iso_speed", None),
    ],
)
def test_forms_seen_on_flickr(key, text, name, value):
    tags = CameraTags.from_flickr({"EXIF": {key: text}})
    assert getattr(tags, name) == (None if value is None else pytest.approx(value))


def test_exif_garbage_in_a_file_is_no_exif():
    image = Image.new("RGB", (8, 8))
    image.info["exif"] = b"Exif\0\0II*\0\xff\xff\xff\xff" + bytes(range(256))
    assert CameraTags.from_exif(read_exif(image)) == CameraTags()


def test_camera_name():
    nikon = {Base.Make: "NIKON CORPORATION\0", Base.Model: " NIKON  D90 "}
    assert camera_name(nikon) == "NIKON CORPORATION NIKON D90"
    assert camera_name({Base.Make: "Canon", Base.Model: "Canon EOS 550D"}) == "Canon EOS 550D"
    assert camera_name({Base.Make: 7}) is camera_name({}) is None


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
