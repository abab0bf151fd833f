"""What the camera recorded: aperture, exposure time, focal length, ISO speed, and its settings.

Metadata is written by thousands of programs and by hand, so every value is suspect: what can't be
read as a plausible number is absent, and nothing here raises or evaluates anything.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any, Self

from PIL import ExifTags, Image

from exiface.photos.camera_settings import (
    CLASSES,
    classes_in_words,
    classes_of,
    classes_of_blades,
)

_Base = ExifTags.Base

# Outside of these no camera has worked; such values are unset fields, or units mistaken.
_PLAUSIBLE = {
    "aperture": (0.3, 1024.0),
    "exposure_time": (1e-7, 1e6),
    "focal_length": (0.1, 1e5),
    "iso_speed": (0.5, 1e8),
    "focal_length_35mm": (0.1, 1e5),
}
# Of APEX values, which may be negative: darker or brighter has no camera worked.
_PLAUSIBLE_APEX = {"brightness": (-25.0, 25.0), "exposure_bias": (-10.0, 10.0)}
# A 16-bit field that is full: "the true value stands elsewhere" (Exif 2.3, 4.6.5).
_ISO_OVERFLOW = 65535
_ISO_FIELDS = (
    *(_Base.ISOSpeedRatings, _Base.ISOSpeed),
    *(_Base.RecommendedExposureIndex, _Base.StandardOutputSensitivity),
)

_NUMBER = r"([0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})"
_FLICKR_VALUE = re.compile(
    rf"\s*(?:[fF]\s*/?\s*)?{_NUMBER}(?:\s*/\s*{_NUMBER})?\s*(?:s|sec|secs|seconds?|mm)?\.?\s*(?:\(.*\))?\s*"
)
_FLICKR_KEYS = {
    "aperture": ("Aperture Value", "Aperture", "F Number", "FNumber"),
    "exposure_time": ("Exposure Time", "Exposure", "ExposureTime"),
    "focal_length": ("Focal Length", "FocalLength"),
    "iso_speed": ("ISO Speed Ratings", "ISO Speed", "ISO", "ISOSpeedRatings"),
}


@dataclass(frozen=True, slots=True)
class CameraTags:
    """What the camera recorded about one photograph; a value that is missing or absurd is None.

    Example:
        >>> CameraTags(aperture=2.8, iso_speed=-100).as_dict()
        {'aperture': 2.8}
    """

    aperture: float | None = None  #: f-number (2.8 means f/2.8).
    exposure_time: float | None = None  #: seconds.
    #: millimetres, as the lens has it (not the 35 mm equivalent).
    focal_length: float | None = None
    iso_speed: float | None = None  #: ISO speed.
    focal_length_35mm: float | None = None  #: millimetres of the 35 mm equivalent.
    brightness: float | None = None  #: of the scene, APEX.
    exposure_bias: float | None = None  #: APEX.
    make: str | None = None  #: class of the camera's maker, one of CLASSES; so are the following.
    series: str | None = None  #: of its model.
    flash: str | None = None  #: whether it fired, or why not.
    metering_mode: str | None = None  #: likewise.
    exposure_mode: str | None = None  #: likewise.
    white_balance: str | None = None  #: likewise.
    exposure_program: str | None = None  #: likewise.
    scene_capture_type: str | None = None  #: likewise.

    def __post_init__(self) -> None:
        numbers = {name: _number(getattr(self, name)) for name in _PLAUSIBLE}
        numbers |= {name: _apex(getattr(self, name), float) for name in _PLAUSIBLE_APEX}
        for name, value in numbers.items():
            low, high = (_PLAUSIBLE | _PLAUSIBLE_APEX)[name]
            plausible = value is not None and low <= value <= high
            object.__setattr__(self, name, value if plausible else None)
        for name, classes in CLASSES.items():
            if getattr(self, name) not in classes:
                object.__setattr__(self, name, None)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The tags by name, of values that may be anything."""
        return cls(**values)

    @classmethod
    def from_exif(cls, exif: Mapping[int, Any]) -> Self:
        """Read the tags from EXIF fields, field number -> value as Pillow gives it.

        The APEX forms (ApertureValue, ShutterSpeedValue) stand in where FNumber and ExposureTime
        are absent.

        Source: Exif 2.32, sections 4.6.5 and annex C (APEX).
        """
        speeds = [_number(exif.get(field)) for field in _ISO_FIELDS]
        return cls(
            aperture=_first(
                _number(exif.get(_Base.FNumber)),
                _apex(exif.get(_Base.ApertureValue), lambda value: 2 ** (value / 2)),
            ),
            exposure_time=_first(
                _number(exif.get(_Base.ExposureTime)),
                _apex(exif.get(_Base.ShutterSpeedValue), lambda value: 2**-value),
            ),
            focal_length=_number(exif.get(_Base.FocalLength)),
            iso_speed=_first(*(None if speed == _ISO_OVERFLOW else speed for speed in speeds)),
            focal_length_35mm=_number(exif.get(_Base.FocalLengthIn35mmFilm)),
            brightness=exif.get(_Base.BrightnessValue),
            exposure_bias=exif.get(_Base.ExposureBiasValue),
            **classes_of(exif),
        )

    @classmethod
    def from_flickr(cls, record: Mapping[str, Any]) -> Self:
        """Read the tags from a record as Flickr reports it; forms such as "F" alone are absent.

        The record is `{"EXIF": {"ISO Speed Ratings": "200", "Aperture Value": "F2.8", ...}}`, or
        the inner mapping.

        Example:
            >>> CameraTags.from_flickr({"EXIF": {"Exposure Time": "0.005 sec (1/200)"}}).as_dict()
            {'exposure_time': 0.005}
        """
        exif = record.get("EXIF", record) if isinstance(record, Mapping) else {}
        if not isinstance(exif, Mapping):
            return cls()
        found = {
            name: _first(*(_flickr_number(exif.get(key)) for key in keys))
            for name, keys in _FLICKR_KEYS.items()
        }
        return cls.of(found | classes_in_words(exif))

    @classmethod
    def from_blades(cls, record: Mapping[str, Any], *, denominators: bool = False) -> Self:
        """Read the tags from a record of BLADES' file.

        The record is `{"EXIF_ordinal": {"ISO": 200, ...}, "EXIF_categorical": {...}}`; with
        `denominators` it gives exposure times as 200, not as 1/200 s.
        """
        ordinal = record.get("EXIF_ordinal")
        found = cls.from_flickr({"EXIF": ordinal}).present()
        if denominators and isinstance(time := found.get("exposure_time"), float):
            found["exposure_time"] = 1 / time
        return cls.of(found | classes_of_blades(record.get("EXIF_categorical")))

    def as_dict(self) -> dict[str, float]:
        """Those of the four tags of TAG_NAMES that are present, by name."""
        return {name: value for name in TAG_NAMES if (value := getattr(self, name)) is not None}

    def present(self) -> dict[str, float | str]:
        """All that is present, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def __str__(self) -> str:
        parts = []
        if self.aperture is not None:
            parts.append(f"f/{self.aperture:.3g}")
        if (time := self.exposure_time) is not None:
            parts.append(f"1/{1 / time:.0f} s" if time < 0.4 else f"{time:.3g} s")
        if self.focal_length is not None:
            parts.append(f"{self.focal_length:.4g} mm")
        if self.iso_speed is not None:
            parts.append(f"ISO {self.iso_speed:.0f}")
        return ", ".join(parts)


# What face encoders learn to rank; whole images have further tags, ranked and in classes.
TAG_NAMES: tuple[str, ...] = ("aperture", "exposure_time", "focal_length", "iso_speed")
RANKED_TAGS = (*TAG_NAMES, "focal_length_35mm", "brightness", "exposure_bias")
TAG_TITLES = {
    "aperture": "aperture",
    "exposure_time": "exposure time",
    "focal_length": "focal length",
    "iso_speed": "ISO speed",
}


def read_exif(image: Image.Image) -> dict[int, Any]:
    """The EXIF fields of an image opened by Pillow, those of the Exif sub-IFD first.

    Field number -> raw value; empty where there is no EXIF or it is damaged beyond reading.
    """
    merged: dict[int, Any] = {}
    try:
        exif = image.getexif()
        merged.update(exif)
        merged.update(exif.get_ifd(ExifTags.IFD.Exif))
    except Exception:  # noqa: S110 - Pillow's parser lets struct, OS and other errors through
        pass
    return merged


def camera_name(exif: Mapping[int, Any]) -> str | None:
    """Maker and model as one name ("Canon EOS 550D"), or None."""
    words = [
        value.replace("\0", " ").strip()
        for field in (_Base.Make, _Base.Model)
        if isinstance(value := exif.get(field), str)
    ]
    words = [" ".join(word.split()) for word in words if word]
    if len(words) == 2 and words[1].lower().startswith(words[0].lower()):
        words = words[1:]
    return " ".join(words)[:120] or None


def _number(value: object) -> float | None:
    """The value as a finite float > 0, or None; never raises."""
    if isinstance(value, tuple | list) and value:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, Real | str | bytes):
        return None
    try:
        number = float(value.strip("\0 ")) if isinstance(value, str) else float(value)
    except (ValueError, OverflowError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _apex(value: object, convert: Callable[[float], float]) -> float | None:
    """An APEX value, which may be zero or negative, converted; absent where it can't be."""
    try:
        converted = convert(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return None
    return converted if math.isfinite(converted) else None


def _flickr_number(value: object) -> float | None:
    if not isinstance(value, str):
        return _number(value)
    match = _FLICKR_VALUE.fullmatch(value[:100])
    if match is None:
        return None
    numerator, denominator = float(match[1]), float(match[2]) if match[2] else 1.0
    return numerator / denominator if denominator else None


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)
