"""The case file: what was judged, by whom, with what, and what was found; a page, and JSON."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from jinja2.environment import TemplateStream

from exiface import __version__
from exiface.apps.explanation_page import told
from exiface.apps.page import standing, words
from exiface.choices import Scope
from exiface.detector import Detector, ImageResult, Judgement
from exiface.detector.explanation import Explanation, explain
from exiface.detector.folder import DetectorParts
from exiface.errors import UserError
from exiface.html import data_uri, template
from exiface.photos import UnreadableImageError
from exiface.photos.crops import square_about
from exiface.photos.exif_fields import exif_fields
from exiface.photos.images import decode
from exiface.provenance import versions

FORMAT = "exiface case"
VERSION = 1
_EXPLAINED = ("regions", "signs", "nearest_scores", "stability", "tags")
_PICTURE_SIDE = 720  # px of a picture on the page
_FACE_SIDE = 176  # px of a face
_FACE_CONTEXT = 1.5  # side of its thumbnail, in longer sides of the face box


@dataclass(frozen=True, slots=True)
class Heading:
    """What a case is called, and who made it; each may be left empty."""

    title: str = ""  #: in a few words.
    reference: str = ""  #: its number in the files of whoever made it.
    examiner: str = ""  #: who made it.


@dataclass(frozen=True, eq=False)
class Case:
    """All that a case file says before its pictures."""

    results: Sequence[ImageResult]  #: what was said of each picture.
    detector: Detector  #: that said it.
    asked: str | None = None  #: name or folder by which it was asked for; None = unasked.
    heading: Heading = field(default_factory=Heading)  #: what the case is called.
    subject: Scope | None = None  #: what was to be judged; None = what the detector is for.
    cropped: bool = False  #: whether each picture was a face already cut out.
    #: when, with the time zone.
    made: datetime = field(default_factory=lambda: datetime.now().astimezone())

    @property
    def time(self) -> str:
        """When it was made, for people."""
        made, zone = self.made, "UTC"
        if made.utcoffset():
            zone += f"{made.isoformat()[-6:]} ({made.tzname()})"
        return f"{made.day} {made:%B %Y, %H:%M:%S} {zone}"

    @property
    def detectors(self) -> list[DetectorParts]:
        """The detectors that judged: that of faces, that of whole images, or both."""
        found = [self.detector.parts] if self._of_faces else []
        whole = self.detector.whole
        if whole and (not found or any(result.image for result in self.results)):
            found.append(whole.parts)
        return found

    @property
    def _of_faces(self) -> bool:
        return self.detector.parts.encoder.subject == "face" and self.subject != "image"

    @property
    def limits(self) -> list[str]:
        """What a reader must know before acting on a verdict, in sentences."""
        return [
            *(
                f"{parts.name} compares with {parts.calibration.counted}: "
                f"{parts.calibration.promised} of photographs like those are called "
                "AI-generated. Photographs from elsewhere can fare worse, and many generated "
                "pictures pass."
                for parts in self.detectors
            ),
            *self.detector.notices(self.results),
            "A verdict is a hint, not a proof. Look at where the picture comes from, and for other "
            "copies of it.",
            "A likelihood ratio is not a probability: it multiplies the odds that there were "
            "before the picture was judged.",
            "What a file says of itself stands beside the verdict and never enters it: such marks "
            "are easily forged, copied or removed, and their absence proves nothing.",
        ]

    def as_dict(self, pictures: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The case as JSON has it; `pictures` are what `Exhibit.as_dict` gives."""
        return {
            "format": FORMAT,
            "version": VERSION,
            **asdict(self.heading),
            "made": self.made.isoformat(timespec="seconds"),
            "exiface": __version__,
            "versions": versions(),
            "detector": {
                # One of faces that was to judge whole images leaves that to another.
                "asked": self.asked if self._of_faces == self.detector.judges("faces") else None,
                "subject": self.subject or self.detector.subject,
                "cropped": self.cropped,
                "judged_by": [
                    {
                        "name": parts.name,
                        "sha256": parts.digest,
                        "subject": parts.encoder.subject,
                        "learnt_from": parts.learnt_from,
                        "promise": parts.judge.promise(),
                    }
                    for parts in self.detectors
                ],
            },
            "limits": self.limits,
            "pictures": [*pictures],
        }


class Exhibit(NamedTuple):
    """One picture of a case."""

    result: ImageResult  #: what was said of it.
    content: bytes | None  #: the bytes of its file; None where they can't be read.
    #: of what was judged in it, in that order; empty where none were asked for.
    explanations: Sequence[Explanation]

    def as_dict(self, number: int) -> dict[str, Any]:
        """The picture as JSON has it; `result` is what `exiface detect --json` says."""
        content = self.content
        width, height = self.result.size
        judged: list[dict[str, Any]] = [
            {"which": which, "words": words()[each.verdict.value]}
            | {"how_sure": each.how_sure, "sentence": each.sentence}
            for which, each in judged_of(self.result)
        ]
        for said, explanation in zip(judged, self.explanations, strict=False):
            told = explanation.as_dict()
            said["explanation"] = {name: told[name] for name in _EXPLAINED}
        return {
            "number": number,
            "name": self.result.path or "standard input",
            "sha256": None if content is None else hashlib.sha256(content).hexdigest(),
            "bytes": None if content is None else len(content),
            "width": width,
            "height": height,
            "how_sure": self.result.reason or self.result.how_sure,
            "judged": judged,
            "credentials": [link.as_dict() for link in self.result.declared.chain],
            "exif": [each.as_dict() for each in exif_fields(content or b"")],
            "result": self.result.as_dict(),
        }


def judged_of(result: ImageResult) -> list[tuple[str, Judgement]]:
    """List all that was judged in a picture, with its name; faces are counted from 1."""
    found = [(f"face {number}", face) for number, face in enumerate(result.faces, start=1)]
    return found if result.image is None else [*found, ("the image as a whole", result.image)]


def exhibits(
    case: Case, sources: Iterable[str | bytes | None], *, explained: bool
) -> Iterator[Exhibit]:
    """Read the pictures of a case again, one after another; one may have neither path nor bytes.

    Where they are `explained`, they say why each verdict is what it is: seconds a face.
    """
    for result, source in zip(case.results, sources, strict=True):
        content = source if isinstance(source, bytes) else None
        if isinstance(source, str):
            with suppress(OSError):
                content = Path(source).read_bytes()
        explanations: list[Explanation] = []
        if explained and content is not None:
            asked: list[tuple[Scope, int]] = [("faces", face) for face in range(len(result.faces))]
            with suppress(UserError):  # the file has changed since it was judged
                explanations += (
                    explain(case.detector, content, face=face, cropped=case.cropped, subject=scope)
                    for scope, face in (asked if result.image is None else [*asked, ("image", 0)])
                )
        yield Exhibit(result, content, explanations)


def write_case(
    case: Case,
    sources: Iterable[str | bytes | None],
    path: Path,
    *,
    pictures: bool = True,
    explained: bool = False,
) -> list[Path]:
    """Write a case file: `NAME.html` with `NAME.json` beside it, or `NAME.json` alone.

    The sources are, for each result, the path of its file or its bytes. A page without pictures can
    be passed on where they can't; the files' SHA-256 tells which were judged. One that is explained
    says why each verdict is what it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    found: list[dict[str, Any]] = []
    every = exhibits(case, sources, explained=explained)
    machine = path.with_suffix(".json")
    if path == machine:
        found += [exhibit.as_dict(number) for number, exhibit in enumerate(every, start=1)]
    else:
        page = _stream(case, every, found, pictures, path.stem)
        page.dump(str(path), encoding="utf-8", errors="replace")
    machine.write_text(_as_json(case, found), encoding="utf-8")
    return [*dict.fromkeys((path, machine))]


def read_json(path: Path) -> dict[str, Any] | None:
    """Read the JSON of a case, of whatever version; None where the file holds none."""
    try:
        told = json.loads(path.read_bytes())
    except ValueError:
        return None
    return told if isinstance(told, dict) and told.get("format") == FORMAT else None


def case_page(case: Case, sources: Iterable[bytes], *, pictures: bool, explained: bool) -> str:
    """Make the page of a case as text, of images whose bytes came without a file."""
    shown = exhibits(case, sources, explained=explained)
    return "".join(_stream(case, shown, [], pictures, "case"))


def _as_json(case: Case, found: list[dict[str, Any]]) -> str:
    return json.dumps(case.as_dict(found), indent=1) + "\n"


def _stream(
    case: Case, every: Iterable[Exhibit], found: list[dict[str, Any]], pictures: bool, name: str
) -> TemplateStream:
    """The page; what JSON says of each picture is added to `found` as the page shows it."""

    def shown() -> Iterator[dict[str, Any]]:
        for number, exhibit in enumerate(every, start=1):
            found.append(exhibit.as_dict(number))
            yield {"told": found[-1], **_shown(case, exhibit, pictures)}

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
    judged: list[dict[str, Any]] = []
    for (which, each), explanation in zip_longest(judged_of(result), exhibit.explanations):
        whole = each is result.image
        parts = detector.whole.parts if whole and detector.whole else detector.parts
        shown = {"which": which, "what": "image" if whole else "face", "face": each}
        shown |= {"plot": standing(parts, each), "why": explanation and told(explanation)}
        if pixels is not None and not whole:
            height, width = pixels.shape[:2]
            x0, y0, x1, y1 = square_about(each.box, _FACE_CONTEXT, width, height)
            shown["thumbnail"] = data_uri(pixels[y0:y1, x0:x1], longest=_FACE_SIDE)
        judged.append(shown)
    return {
        "result": result,
        "picture": None if pixels is None else data_uri(pixels, longest=_PICTURE_SIDE, quality=82),
        "judged": judged,
    }
