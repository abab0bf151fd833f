import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags

from exiface.photos import CameraTags
from exiface.photos.camera_settings import CLASSES, classes_in_words, classes_of, classes_of_blades

BASE = ExifTags.Base
KEYS = st.sampled_from(
    [
        *(BASE.Make, BASE.Model, BASE.Flash, BASE.MeteringMode, BASE.ExposureMode),
        *(BASE.WhiteBalance, BASE.ExposureProgram, BASE.SceneCaptureType, BASE.BrightnessValue),
        *(BASE.ExposureBiasValue, BASE.FocalLengthIn35mmFilm),
    ]
)
VALUES = st.one_of(
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=8),
    st.none(),
    st.tuples(st.integers(), st.floats()),
    st.just(()),
)


@given(st.dictionaries(KEYS, VALUES))
def test_garbage_is_absent_or_a_class_and_never_an_exception(exif):
    for name, value in classes_of(exif).items():
        assert value in CLASSES[name]
    tags = CameraTags.from_exif(exif)
    assert CameraTags.of(tags.present()) == tags


def test_a_camera_is_read():
    numbers = {BASE.Flash: 0b11000, BASE.MeteringMode: 5, BASE.ExposureMode: 1}
    numbers |= {BASE.WhiteBalance: 1, BASE.ExposureProgram: 3, BASE.SceneCaptureType: 2}
    found = classes_of({BASE.Make: "NIKON CORPORATION\0", BASE.Model: "NIKON D60"} | numbers)
    assert found == {
        **{"make": "nikon", "series": "nikon d", "flash": "automatic, not fired"},
        **{"metering_mode": "multi-segment", "exposure_mode": "manual"},
        **{"white_balance": "manual", "exposure_program": "aperture priority"},
        **{"scene_capture_type": "portrait"},
    }


def test_what_the_lists_dont_know_is_other_or_absent():
    assert classes_of({BASE.Make: "Leica", BASE.Model: "M9"}) == {
        "make": "others",
        "series": "others",
    }
    assert classes_of({BASE.ExposureProgram: 5, BASE.MeteringMode: 77, BASE.Flash: "?"}) == {}
    assert [classes_of({BASE.Flash: bits})["flash"] for bits in (0, 1, 0b10000)] == [
        "not fired",
        "fired",
        "switched off",
    ]


def test_apex_values_may_be_negative_and_not_absurd():
    tags = CameraTags.from_exif({BASE.BrightnessValue: -3.5, BASE.ExposureBiasValue: -0.67})
    assert (tags.brightness, tags.exposure_bias) == (-3.5, -0.67)
    absurd = CameraTags.from_exif({BASE.BrightnessValue: 99, BASE.ExposureBiasValue: float("nan")})
    assert absurd == CameraTags()


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"Metering Mode": "Multi-segment"}, {"metering_mode": "multi-segment"}),
        ({"MeteringMode": "Spot"}, {"metering_mode": "spot"}),
        ({"Exposure Mode": "Auto bracket"}, {"exposure_mode": "auto-bracketing"}),
        ({"Exposure Program": "Program AE"}, {"exposure_program": "normal program"}),
        ({"Exposure Program": "Aperture-priority AE"}, {"exposure_program": "aperture priority"}),
        ({"Exposure Program": "Creative (Slow speed)"}, {}),
        ({"White Balance": "Auto"}, {"white_balance": "auto"}),
        ({"Flash": "Auto, Did not fire"}, {"flash": "automatic, not fired"}),
        ({"Scene Capture Type": "Night"}, {"scene_capture_type": "night"}),
        ({"Make": "NIKON CORPORATION", "Model": "D90"}, {"make": "nikon", "series": "nikon d"}),
        ({"Make": None, "Flash": 7, "White Balance": ["Auto"]}, {}),
    ],
)
def test_words_of_records_are_read(record, expected):
    assert classes_in_words(record) == expected
    assert CameraTags.from_flickr({"EXIF": record}).present() == expected


@given(st.dictionaries(st.text(max_size=20), VALUES) | VALUES)
def test_a_damaged_record_of_blades_has_no_classes(record):
    wrapped = {"Make": record, "Metering Mode": {"cls_label": record}}
    assert set(classes_of_blades(wrapped)) <= {"metering_mode"}
    assert classes_of_blades(record) == {}
