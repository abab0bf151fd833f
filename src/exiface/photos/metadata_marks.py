"""Marks in a file's metadata: XMP and IPTC, EXIF, the texts of PNG, JPEG and WebP.

Only what Pillow hands out of well-formed segments is read; pixels and thumbnails never are.
Everything here is written by anybody: nothing raises, and sizes are bounded.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from xml.etree.ElementTree import ParseError

from PIL import ExifTags, Image, ImageFile, IptcImagePlugin

from exiface.photos.marks import Mark, What, program, shown, source_type, values_of
from exiface.photos.tags import camera_name

_Base = ExifTags.Base

_LONGEST_XMP = 1 << 20  # bytes
_LONGEST_JSON = 1 << 20  # characters; ComfyUI's workflows are tens of thousands

_WEB_UI = re.compile(r"\bSteps: \d+, (?:\S+ )?Sampler: ", re.IGNORECASE)
_MIDJOURNEY = re.compile(r" --v \d|\bJob ID: [0-9a-f]{8}-[0-9a-f]{4}-", re.IGNORECASE)
_DIFFUSION = "a Stable Diffusion program"
_INVOKE_KEYS = ("invokeai_metadata", "invokeai_graph", "sd-metadata", "dream")
_NODE_KEYS = {"class_type", "widgets_values"}
_IPTC_PROGRAM, _IPTC_CREDIT = (2, 65), (2, 110)
_ENCODINGS = {b"ASCII\0\0\0": "ascii", b"\0\0\0\0\0\0\0\0": "utf-8"}


def metadata_marks(image: Image.Image, exif: Mapping[int, Any]) -> tuple[list[Mark], list[str]]:
    """The marks in the metadata of an image with these EXIF fields, and what could not be read.

    The image has been loaded, so that what follows its pixels has been read too.
    """
    marks = [*_of_exif(exif), *_of_texts(image, exif), *_of_iptc(image)]
    tree, unread = _xmp(image)
    return [*_of_xmp(tree), *marks], unread


def _of_exif(exif: Mapping[int, Any]) -> Iterator[Mark]:
    camera = camera_name(exif)
    if camera is not None:
        raw = f"{camera}; with maker's notes" if exif.get(_Base.MakerNote) else camera
        yield Mark(What.CAPTURED, "a camera took it", "EXIF", camera, None, shown(raw))
    software = exif.get(_Base.Software)
    if isinstance(software, str) and (mark := program(software, "EXIF")):
        yield mark


def _of_xmp(tree: Mapping[str, Any]) -> Iterator[Mark]:
    used = [*values_of(tree, "aisystemused"), *values_of(tree, "aisystemversionused")]
    by = shown(" ".join(used[:2])) or None
    types = values_of(tree, "digitalsourcetype")
    yield from filter(None, (source_type(value, "XMP", by=by) for value in types))
    if by:
        yield Mark(What.GENERATED, f"it was made by {by}", "XMP", by, None, by)
    for value in values_of(tree, "aipromptinformation"):
        says = "a generative model was given this prompt"
        yield Mark(What.SETTINGS, says, "XMP", by or "a generative model", None, shown(value))
    yield from filter(None, (program(value, "XMP") for value in values_of(tree, "creatortool")))
    for value in values_of(tree, "credit"):
        yield from _if_generated(program(value, "XMP"))
    for value in values_of(tree, "provenance"):
        if value.startswith(("http://", "https://")):
            says = "its Content Credentials lie elsewhere; they were not fetched"
            yield Mark(What.TEXT, says, "XMP", None, None, shown(value))


def _xmp(image: Image.Image) -> tuple[Mapping[str, Any], list[str]]:
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    if len(packet) > _LONGEST_XMP:
        return {}, [f"XMP is larger than {_LONGEST_XMP >> 20} MB and was not read"]
    try:
        return image.getxmp(), []
    except (ParseError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        # ValueError: XML with entities, which defusedxml refuses.
        return {}, [f"XMP can't be read: {shown(error) or type(error).__name__}"]


def _of_iptc(image: Image.Image) -> Iterator[Mark]:
    try:
        fields = IptcImagePlugin.getiptcinfo(cast(ImageFile.ImageFile, image)) or {}
    except Exception:  # Pillow's parser lets all sorts of errors through
        return
    if (mark := program(shown(fields.get(_IPTC_PROGRAM, b"")), "IPTC")) is not None:
        yield mark
    yield from _if_generated(program(shown(fields.get(_IPTC_CREDIT, b"")), "IPTC"))


def _if_generated(mark: Mark | None) -> Iterator[Mark]:
    if mark is not None and mark.is_generated:
        yield mark


def _of_texts(image: Image.Image, exif: Mapping[int, Any]) -> Iterator[Mark]:
    """Settings of programs that generate, wherever they write them; other texts as they are."""
    for where, key, text in _texts(image, exif):
        by = settings_of(key, text)
        if by is not None:
            says = f"{by} was given these settings"
            yield Mark(What.SETTINGS, says, where, by, None, shown(text))
        elif key in ("software", "source", "title"):
            mark = program(text, where)
            if mark is not None and (mark.is_generated or key == "software"):
                yield mark
        elif key in ("imagedescription", "usercomment", "comment", "description") and shown(text):
            yield Mark(What.TEXT, f"{key}: {shown(text)}", where, None, None, shown(text))


def settings_of(key: str, text: str) -> str | None:
    """The program whose settings a text is, by its key and its form; None where it is none.

    Example:
        >>> settings_of("parameters", "a face Steps: 20, Sampler: Euler a, CFG scale: 7")
        'a Stable Diffusion program'
        >>> settings_of("comment", "A day at the sea") is None
        True
    """
    if _WEB_UI.search(text[-4000:]) or _WEB_UI.search(text[:4000]):
        return _DIFFUSION
    if key in _INVOKE_KEYS:
        return "InvokeAI"
    if _MIDJOURNEY.search(text[-400:]):
        return "Midjourney"
    if not text.lstrip().startswith("{") or len(text) > _LONGEST_JSON:
        return None
    try:
        return _of_json(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _of_json(tree: dict[str, Any]) -> str | None:
    if "sui_image_params" in tree:
        return "SwarmUI"
    nodes = tree["nodes"] if isinstance(tree.get("nodes"), list) else [*tree.values()]
    if any(isinstance(node, dict) and _NODE_KEYS & set(node) for node in nodes):
        return "ComfyUI"
    if {"steps", "scale", "seed"} <= set(tree):
        return "NovelAI" if "uncond_scale" in tree else _DIFFUSION
    return None


def _texts(image: Image.Image, exif: Mapping[int, Any]) -> Iterator[tuple[str, str, str]]:
    """(where, key in lower case, text) of every text that a file carries outside XMP."""
    for key, text in dict(getattr(image, "text", None) or {}).items():
        if key != "XML:com.adobe.xmp":
            yield "PNG text", str(key).lower(), str(text)
    if isinstance(comment := image.info.get("comment"), bytes):
        yield "JPEG comment", "comment", comment.decode("utf-8", "replace")
    for field in (_Base.ImageDescription, _Base.UserComment):
        value = exif.get(field)
        text = user_comment(value) if isinstance(value, bytes) else value
        if isinstance(text, str) and text.strip("\0 "):
            yield "EXIF", field.name.lower(), text


def user_comment(value: bytes) -> str:
    """A comment behind the eight bytes that name its encoding (Exif 2.32, section 4.6.5)."""
    kind, text = value[:8], value[8:]
    if kind == b"UNICODE\0":  # the byte order is the writer's own
        return text.decode("utf-16-be" if text[:1] == b"\0" else "utf-16-le", "replace")
    if kind in _ENCODINGS:
        return text.decode(_ENCODINGS[kind], "replace")
    return value.decode("utf-8", "replace")
