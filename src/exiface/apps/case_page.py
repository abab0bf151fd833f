"""The case file of `exiface detect --report`: one HTML page, and the same as JSON."""

import base64
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from jinja2.environment import TemplateStream

from exiface import __version__
from exiface.apps.case import Case, Exhibit, exhibits, judged_of
from exiface.apps.explanation_page import told
from exiface.apps.page import standing, words
from exiface.html import data_uri, template
from exiface.photos import UnreadableImageError
from exiface.photos.crops import square_about
from exiface.photos.images import decode

_PICTURE_SIDE = 720  # px of a picture on the page
_FACE_SIDE = 176  # px of a face
_FACE_CONTEXT = 1.5  # side of its thumbnail, in longer sides of the face box


def write_case(
    case: Case,
    sources: Iterable[str | bytes | None],
    path: Path,
    *,
    pictures: bool = True,
    explained: bool = False,
) -> list[Path]:
    """Write a case file.

    Args:
        case: what was judged, and how.
        sources: of each result, the path of its file or its bytes.
        path: `NAME.html` is written with `NAME.json` beside it; `NAME.json` alone.
        pictures: the page shows the images; without them it can be passed on where they can't, and
            the files' SHA-256 tells which were judged.
        explained: it says why each verdict is what it is.

    Returns:
        The paths of what was written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    found: list[dict[str, Any]] = []
    every = exhibits(case, sources, explained=explained)
    machine = path.with_suffix(".json")
    if path == machine:
        found += [exhibit.as_dict() for exhibit in every]
    else:
        page = _stream(case, every, found, pictures, path.stem)
        page.dump(str(path), encoding="utf-8", errors="replace")
    machine.write_text(_as_json(case, found), encoding="utf-8")
    return [machine] if path == machine else [path, machine]


def case_page(
    case: Case, sources: Iterable[bytes], *, pictures: bool, explained: bool = False
) -> str:
    """The page of a case as text, of images whose bytes came without a file."""
    shown = exhibits(case, sources, explained=explained)
    return "".join(_stream(case, shown, [], pictures, "case"))


def _as_json(case: Case, found: list[dict[str, Any]]) -> str:
    return json.dumps(case.as_dict(found), indent=1) + "\n"


def _stream(
    case: Case, every: Iterable[Exhibit], found: list[dict[str, Any]], pictures: bool, name: str
) -> TemplateStream:
    """The page; what JSON says of each picture is added to `found` as the page shows it."""

    def shown() -> Iterator[dict[str, Any]]:
        for exhibit in every:
            found.append(exhibit.as_dict())
            yield _shown(case, exhibit, pictures)

    def machine_uri() -> str:
        coded = base64.b64encode(_as_json(case, found).encode()).decode()
        return f"data:application/json;base64,{coded}"

    return template("exiface.apps", "case.html").stream(
        case=case,
        heading=case.heading,
        exhibits=shown(),
        pictures=pictures,
        judged_of=judged_of,
        words=words(),
        machine_uri=machine_uri,
        name=name,
        version=__version__,
    )


def _shown(case: Case, exhibit: Exhibit, pictures: bool) -> dict[str, Any]:
    """What the page shows of one picture."""
    result, detector = exhibit.result, case.detector
    pixels = None
    if pictures and exhibit.content is not None and result.size[0]:
        with suppress(UnreadableImageError):  # it has changed since it was judged
            pixels = decode(exhibit.content).pixels
    judged = []
    for number, (which, each) in enumerate(judged_of(result)):
        whole = each is result.image
        thumbnail = None
        if pixels is not None and not whole:
            height, width = pixels.shape[:2]
            x0, y0, x1, y1 = square_about(each.box, _FACE_CONTEXT, width, height)
            thumbnail = data_uri(pixels[y0:y1, x0:x1], longest=_FACE_SIDE)
        parts = detector.whole.parts if whole and detector.whole else detector.parts
        explanation = exhibit.explanations[number : number + 1]
        judged.append(
            {
                "which": which,
                "what": "image" if whole else "face",
                "face": each,
                "thumbnail": thumbnail,
                "plot": standing(parts, each),
                "why": told(explanation[0]) if explanation else None,
            }
        )
    return {
        "exhibit": exhibit,
        "result": result,
        "picture": None if pixels is None else data_uri(pixels, longest=_PICTURE_SIDE, quality=82),
        "judged": judged,
    }
