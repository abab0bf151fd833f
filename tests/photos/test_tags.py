import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

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
