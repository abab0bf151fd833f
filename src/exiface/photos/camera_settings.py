"""What the camera was set to, as classes: EXIF's numbers and makers' names -> named classes.

The lists of BLADES stand as published, in their order; SDAIE's were never published, and where
BLADES has none, the lists are ours. A value that is no class of its list is absent.
"""

from collections.abc import Callable, Mapping
from typing import Any

from PIL import ExifTags

_Base = ExifTags.Base

# Source of all but series, flash and scene_capture_type: BLADES (arXiv 2507.22824).
CLASSES: dict[str, tuple[str, ...]] = {
    "make": (
        "nikon",
        "apple",
        "fujifilm",
        "canon",
        "samsung",
        "sony",
        "panasonic",
        "nokia",
        "pentax",
        "others",
    ),
    "series": ("eos", "powershot", "nikon d", "coolpix", "iphone", "others"),
    "flash": ("fired", "not fired", "switched off", "automatic, not fired"),
    "metering_mode": (
        "average",
        "centerweighted",
        "others",
        "partial",
        "spot",
        "multi-spot",
        "multi-segment",
        "evaluative",
    ),
    "exposure_mode": (
        "auto",
        "auto-bracketing",
        "program",
        "manual",
        "aperture-priority",
        "easy-shooting",
        "shutter-priority",
    ),
    "white_balance": ("auto", "manual"),
    "exposure_program": (
        "landscape mode",
        "manual control",
        "normal program",
        "portrait mode",
        "shutter priority",
        "aperture priority",
    ),
    "scene_capture_type": ("standard", "landscape", "portrait", "night"),
}
# Numbers of Exif 2.32, section 4.6.5; what is missing there ("creative program") has no class.
_METERING = {
    1: "average",
    2: "centerweighted",
    3: "spot",
    4: "multi-spot",
    5: "multi-segment",
    6: "partial",
    255: "others",
}
_EXPOSURE_MODE = {0: "auto", 1: "manual", 2: "auto-bracketing"}
_WHITE_BALANCE = {0: "auto", 1: "manual"}
_EXPOSURE_PROGRAM = {
    1: "manual control",
    2: "normal program",
    3: "aperture priority",
    4: "shutter priority",
    7: "portrait mode",
    8: "landscape mode",
}
_SCENE = dict(enumerate(CLASSES["scene_capture_type"]))

# What programs that write EXIF out in words call it; the first word that is found decides.
_WORDS: dict[str, tuple[tuple[str, str | None], ...]] = {
    "metering_mode": (
        ("cent", "centerweighted"),
        ("average", "average"),
        ("evaluative", "evaluative"),
        ("partial", "partial"),
        ("multi-spot", "multi-spot"),
        ("multispot", "multi-spot"),
        ("spot", "spot"),
        ("multi", "multi-segment"),
        ("pattern", "multi-segment"),
        ("matrix", "multi-segment"),
        ("other", "others"),
    ),
    "exposure_mode": (
        ("bracket", "auto-bracketing"),
        ("aperture", "aperture-priority"),
        ("shutter", "shutter-priority"),
        ("program", "program"),
        ("easy", "easy-shooting"),
        ("manual", "manual"),
        ("auto", "auto"),
    ),
    "white_balance": (("manual", "manual"), ("auto", "auto")),
    "exposure_program": (
        ("creative", None),
        ("action", None),
        ("landscape", "landscape mode"),
        ("portrait", "portrait mode"),
        ("aperture", "aperture priority"),
        ("shutter", "shutter priority"),
        ("manual", "manual control"),
        ("program", "normal program"),
    ),
    "flash": (
        ("auto, did not", "automatic, not fired"),
        ("off, did not", "switched off"),
        ("not fire", "not fired"),
        ("no flash", "not fired"),
        ("fired", "fired"),
    ),
    "scene_capture_type": tuple((name, name) for name in CLASSES["scene_capture_type"]),
}
# BLADES' file says which place in the list.
_OF_BLADES = {
    "Make": "make",
    "Metering Mode": "metering_mode",
    "Exposure Mode": "exposure_mode",
    "White Balance Mode": "white_balance",
    "Exposure Program": "exposure_program",
}


def classes_of(exif: Mapping[int, Any]) -> dict[str, str]:
    """The classes that are known of what the camera was set to, by the names of CLASSES.

    EXIF is given as Pillow gives it, field number -> value.

    Example:
        >>> classes_of({ExifTags.Base.Make: "Canon", ExifTags.Base.MeteringMode: 5})
        {'make': 'canon', 'metering_mode': 'evaluative'}
    """
    found = _of_names(exif.get(_Base.Make), exif.get(_Base.Model)) | {
        "flash": _numbered(exif.get(_Base.Flash), _flash),
        "metering_mode": _numbered(exif.get(_Base.MeteringMode), _METERING.get),
        "exposure_mode": _numbered(exif.get(_Base.ExposureMode), _EXPOSURE_MODE.get),
        "white_balance": _numbered(exif.get(_Base.WhiteBalance), _WHITE_BALANCE.get),
        "exposure_program": _numbered(exif.get(_Base.ExposureProgram), _EXPOSURE_PROGRAM.get),
        "scene_capture_type": _numbered(exif.get(_Base.SceneCaptureType), _SCENE.get),
    }
    if found["make"] == "canon" and found["metering_mode"] == "multi-segment":
        found["metering_mode"] = "evaluative"  # what this maker calls it
    return {name: value for name, value in found.items() if value is not None}


def classes_in_words(record: Mapping[str, Any]) -> dict[str, str]:
    """The classes that are known of a record in words, as Flickr and ExifTool write it.

    Example:
        >>> classes_in_words({"Make": "Canon", "Metering Mode": "Center-weighted average"})
        {'make': 'canon', 'metering_mode': 'centerweighted'}
    """
    found = _of_names(record.get("Make"), record.get("Model"))
    for name, words in _WORDS.items():
        key = name.replace("_", " ").title()
        text = _text(record.get(key, record.get(key.replace(" ", ""))))
        found[name] = next((meant for word, meant in words if word in text), None)
    return {name: value for name, value in found.items() if value is not None}


def classes_of_blades(record: object) -> dict[str, str]:
    """The classes of `EXIF_categorical` in BLADES' file, which are places in the lists of CLASSES.

    Example:
        >>> classes_of_blades({"Make": {"cls_label": 3}, "White Balance Mode": {"cls_label": 9}})
        {'make': 'canon'}
    """
    found = {}
    for key, name in _OF_BLADES.items():
        described = record.get(key) if isinstance(record, Mapping) else None
        place = described.get("cls_label") if isinstance(described, Mapping) else None
        if isinstance(place, int) and 0 <= place < len(CLASSES[name]):
            found[name] = CLASSES[name][place]
    return found


def _text(value: object) -> str:
    return " ".join(value.replace("\0", " ").lower().split()) if isinstance(value, str) else ""


def _of_names(make: object, model: object) -> dict[str, str | None]:
    """Maker and series; some models say "D60" only, and the maker's first word goes before."""
    maker, series = _text(make), _text(model)
    first = maker.partition(" ")[0]
    if series and not series.startswith(first):
        series = f"{first} {series}"
    found: dict[str, str | None] = {"make": None, "series": None}
    for kind, name in (("make", maker), ("series", series)):
        if name:
            *known, others = CLASSES[kind]
            found[kind] = next((each for each in known if each in name), others)
    return found


def _numbered(value: object, meaning: Callable[[int], str | None]) -> str | None:
    if isinstance(value, tuple | list) and value:
        value = value[0]
    try:
        return meaning(int(value))  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return None


def _flash(bits: int) -> str:
    """Bit 0 says whether it fired, bits 3 and 4 what it was set to."""
    set_to = {2: "switched off", 3: "automatic, not fired"}
    return "fired" if bits & 1 else set_to.get(bits >> 3 & 3, "not fired")
