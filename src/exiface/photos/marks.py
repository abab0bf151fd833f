"""Marks: what a file says of its own origin, in the terms that all readers share."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_LONGEST = 200  # characters of a file's own value that are shown
_DEEPEST = 24  # levels of a tree that are walked

# The IPTC's vocabulary, and C2PA's additions to it: code -> what it means, and in words.
# Source: https://cv.iptc.org/newscodes/digitalsourcetype/
_MODEL = "a generative model made it"
PARTS = "parts of it were made by a generative model"
_SOURCE_TYPES = {
    "trainedalgorithmicmedia": ("generated", _MODEL),
    "trainedalgorithmicdata": ("generated", _MODEL),
    "compositesynthetic": ("composite", "parts of it are synthetic"),
    "compositewithtrainedalgorithmicmedia": ("composite", PARTS),
    "algorithmicmedia": ("computed", "an algorithm made it, without examples to learn from"),
    "algorithmicallyenhanced": ("edited", "an algorithm enhanced it"),
    "datadrivenmedia": ("computed", "it was drawn from data"),
    "digitalcapture": ("captured", "a camera took it"),
    "computationalcapture": ("captured", "a camera took it, with computation"),
    "multiframecomputationalcapture": ("captured", "a camera took it, in several frames"),
    "compositecapture": ("captured", "it is composed of several captures"),
    "negativefilm": ("captured", "it was digitised from a negative"),
    "positivefilm": ("captured", "it was digitised from a positive"),
    "print": ("captured", "it was digitised from a print"),
    "humanedits": ("edited", "people edited it"),
    "minorhumanedits": ("edited", "people edited it a little"),
    "composite": ("edited", "it is composed of several pictures"),
    "digitalcreation": ("drawn", "people drew it with a program"),
    "digitalart": ("drawn", "people drew it with a program"),
    "softwareimage": ("drawn", "a program made it"),
    "virtualrecording": ("computed", "it records a virtual scene"),
    "screencapture": ("edited", "it is a picture of a screen"),
}

# Programs and services that generate images, as they name themselves. Words that other programs or
# languages use as well ("imagen", "aurora") stand here only with what makes them plain.
_GENERATORS = re.compile(
    r"\b(?:firefly|dall[-·\s]?e|chatgpt|gpt-4o|gpt-image|openai|midjourney|stable[-\s]?diffusion|"
    r"sdxl|novelai|comfyui|invokeai|automatic1111|fooocus|swarmui|draw things|google imagen|"
    r"imagen \d|gemini|nano banana|google ai|flux[.\s]?\d|black forest labs|ideogram|leonardo\.ai|"
    r"grok|bing image creator|image creator from|microsoft designer|meta ai|runwayml|stability ai|"
    r"recraft|playground ai|nightcafe|artbreeder|stylegan\d?|seedream|qwen-image|hunyuan)\b",
    re.IGNORECASE,
)


class What(StrEnum):
    """What a mark is about."""

    GENERATED = "generated"  # a generative model made the picture
    SETTINGS = "settings"  # the settings of a program that generates
    COMPOSITE = "composite"  # a generative model made parts of it
    COMPUTED = "computed"  # an algorithm that has learnt nothing did
    CAPTURED = "captured"  # a camera took it
    DRAWN = "drawn"
    EDITED = "edited"
    PROGRAM = "program"  # a program wrote the file
    CREDENTIALS = "credentials"  # somebody signed what the file says
    TEXT = "text"  # words without a known meaning


class Verified(StrEnum):
    """How far a signed mark can be believed."""

    VALID = "valid"  # file and signature belong together, the signer is on the trust list
    UNKNOWN_SIGNER = "unknown signer"  # they belong together, the signer could be anybody
    INVALID = "invalid"  # they don't


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that a file says of its origin."""

    what: What  #: what it is about.
    says: str  #: in words, as they follow on "The file says that".
    where: str  #: where it stands, such as "EXIF" or "Content Credentials".
    by: str | None = None  #: the program, camera or signer that is named; None where none is.
    verified: Verified | None = None  #: of a signed mark, how far; None where nothing is signed.
    raw: str = ""  #: the file's own value, shortened.

    @property
    def is_generated(self) -> bool:
        """Whether it says that a generative model made the picture."""
        return self.what in (What.GENERATED, What.SETTINGS)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "what": self.what.value,
            "says": self.says,
            "by": self.by,
            "where": self.where,
            "verified": None if self.verified is None else self.verified.value,
            "raw": self.raw,
        }


def source_type(
    value: str, where: str, *, by: str | None = None, verified: Verified | None = None
) -> Mark | None:
    """The mark of a digital source type, a code or a URI that ends in one; None where unknown.

    Example:
        >>> source_type("http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture", "XMP").says
        'a camera took it'
    """
    meaning = _SOURCE_TYPES.get(value.strip().rstrip("/").rpartition("/")[2].lower())
    if meaning is None:
        return None
    what, says = meaning
    return Mark(What(what), says, where, by, verified, shown(value))


def program(name: str, where: str, verified: Verified | None = None) -> Mark | None:
    """The mark of a program that names itself; one that is known to generate says so.

    Example:
        >>> program("Adobe Firefly 3", "XMP").what.value, program("GIMP 2.10", "EXIF").what.value
        ('generated', 'program')
    """
    name = shown(name)
    if not name:
        return None
    if _GENERATORS.search(name):
        return Mark(What.GENERATED, f"it was made by {name}", where, name, verified, name)
    return Mark(What.PROGRAM, f"{name} wrote it", where, name, verified, name)


def shown(value: object, longest: int = _LONGEST) -> str:
    r"""A file's own value as it can be shown: one line, printable, shortened.

    Example:
        >>> shown(b"Canon\0\x1b[31m  EOS")
        'Canon [31m EOS'
    """
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    printable = "".join(
        character if character.isprintable() else " " for character in text[: 4 * longest]
    )
    line = " ".join(printable.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def values_of(tree: object, name: str, depth: int = 0) -> Iterator[str]:
    """The texts under every key whose last part is `name` (in lower case), prefixes aside.

    The tree is of mappings and lists, as a parser of JSON or XMP gives them.
    """
    if depth > _DEEPEST:
        return
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            if str(key).rpartition(":")[2].lower() == name:
                yield from _texts(value, depth)
            else:
                yield from values_of(value, name, depth + 1)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from values_of(value, name, depth + 1)


def _texts(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth <= _DEEPEST and isinstance(value, Mapping | list | tuple):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(each, depth + 1)
