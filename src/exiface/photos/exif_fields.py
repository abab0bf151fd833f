"""Every EXIF field of a file by its name, as it can be shown; nothing in it is trusted or run."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from PIL import ExifTags
from PIL.TiffImagePlugin import IFDRational

from exiface.photos.images import opened
from exiface.photos.marks import shown
from exiface.photos.metadata_marks import user_comment

_MOST = 400  # fields of a file
_LONGEST = 400  # characters of a value
_BYTES = 48  # that are shown of a value that is no text
_LIST = 32  # numbers that are shown of a list
_COMMENTS = {"UserComment", "GPSProcessingMethod", "GPSAreaInformation"}
_WIDE = {"XPTitle", "XPComment", "XPAuthor", "XPKeywords", "XPSubject"}  # Windows': UTF-16
_INTEROP = {each.value: each.name for each in ExifTags.Interop}
_GROUPS = (
    ("Image", None, ExifTags.TAGS),
    ("Exif", ExifTags.IFD.Exif, ExifTags.TAGS),
    ("GPS", ExifTags.IFD.GPSInfo, ExifTags.GPSTAGS),
    ("Interoperability", ExifTags.IFD.Interop, _INTEROP),
    ("Thumbnail", ExifTags.IFD.IFD1, ExifTags.TAGS),
)
_POINTERS = {each.value for each in ExifTags.IFD} - {ExifTags.IFD.MakerNote}


@dataclass(frozen=True, slots=True)
class ExifField:
    """One field as it can be shown."""

    #: which part of the EXIF it stands in: "Image", "Exif", "GPS", "Interoperability" or
    #: "Thumbnail".
    group: str
    number: int  #: of the field.
    name: str  #: of the field, or "field 0x..." of one without a known name.
    value: str  #: printable, on one line.
    note: str | None = None  #: what is not shown of it; None where all is.

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it; `note` only where there is one."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def exif_fields(content: bytes) -> tuple[ExifField, ...]:
    """Every EXIF field that can be read in the bytes of an image file, by group and number."""
    found: list[ExifField] = []
    # Pillow's parser lets all sorts of errors through; a damaged group takes its own fields only.
    with suppress(Exception), opened(content) as image:
        exif = image.getexif()
        for group, place, names in _GROUPS:
            with suppress(Exception):
                fields = dict(exif) if place is None else exif.get_ifd(place)
                found.extend(_of_group(group, fields, names))
    return tuple(found[:_MOST])


def _of_group(
    group: str, fields: Mapping[int, Any], names: Mapping[int, str]
) -> Iterator[ExifField]:
    for number in sorted(key for key in fields if isinstance(key, int)):
        if number in _POINTERS and group in ("Image", "Exif"):
            continue  # where another group begins
        name = names.get(number) or f"field 0x{number:04x}"
        yield ExifField(group, number, name, *_said(name, fields[number]))


def _said(name: str, value: object) -> tuple[str, str | None]:
    """A value as it can be shown, and what is not shown of it."""
    if name in _WIDE:
        value = _bytes(value).decode("utf-16-le", "replace").rstrip("\0")
    elif name in _COMMENTS and isinstance(value, bytes):
        value = user_comment(value)
    if isinstance(value, bytes):
        plain = value.rstrip(b"\0").decode("latin-1")
        if not (plain.isascii() and plain.isprintable()):
            note = f"the first {_BYTES} of {len(value):,} bytes" if len(value) > _BYTES else None
            return value[:_BYTES].hex(" "), note
        value = plain
    if isinstance(value, str):
        long = len(value) > _LONGEST
        note = f"the first {_LONGEST} of {len(value):,} characters" if long else None
        return shown(value.strip("\0"), longest=_LONGEST), note
    if isinstance(value, tuple | list):
        note = f"the first {_LIST} of {len(value):,} values" if len(value) > _LIST else None
        return shown(", ".join(map(_number, value[:_LIST])), longest=4 * _LONGEST), note
    return shown(_number(value), longest=_LONGEST), None


def _number(value: object) -> str:
    """A number as people write it: exposure times as fractions, others with six digits."""
    if isinstance(value, IFDRational):
        above, below = value.numerator, value.denominator
        if not below:
            return f"{above}/{below}"
        if above == 1 and below > 1:
            return f"1/{below}"
        return f"{float(value):g}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _bytes(value: object) -> bytes:
    if isinstance(value, tuple | list):
        return bytes(each for each in value if isinstance(each, int) and 0 <= each < 256)
    return value if isinstance(value, bytes) else str(value).encode("utf-16-le")
