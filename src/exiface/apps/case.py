"""A case: what was judged, by whom, with what, and all that was found."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from exiface import __version__
from exiface.apps.page import words
from exiface.choices import Scope
from exiface.detector import Detector, ImageResult, Judgement
from exiface.detector.explanation import Explanation, explain
from exiface.detector.folder import DetectorParts
from exiface.errors import UserError
from exiface.photos.exif_fields import ExifField, exif_fields
from exiface.provenance import versions

FORMAT = "exiface case"
VERSION = 1
_EXPLAINED = ("regions", "signs", "nearest_scores", "stability", "tags")


@dataclass(frozen=True, slots=True)
class Heading:
    """What a case is called, and who made it; each may be left empty.

    Attributes:
        title: in a few words.
        reference: its number in the files of whoever made it.
        examiner: who made it.
    """

    title: str = ""
    reference: str = ""
    examiner: str = ""


@dataclass(frozen=True, eq=False)
class Case:
    """All that a case file says before its pictures.

    Attributes:
        results: what was said of each picture.
        detector: that said it.
        asked: the detector by the name, or the folder, that it was asked for by; None = unasked.
        heading: what the case is called.
        subject: what was to be judged; None = what the detector was loaded for.
        cropped: each picture was a face already cut out.
        made: when, with the time zone.
    """

    results: Sequence[ImageResult]
    detector: Detector
    asked: str | None = None
    heading: Heading = field(default_factory=Heading)
    subject: Scope | None = None
    cropped: bool = False
    made: datetime = field(default_factory=lambda: datetime.now().astimezone())

    @property
    def time(self) -> str:
        """When it was made, for people."""
        made = self.made
        return f"{made.day} {made:%B %Y, %H:%M:%S} UTC{made.isoformat()[-6:]} ({made.tzname()})"

    @property
    def detectors(self) -> list[DetectorParts]:
        """The detectors that judged: that of faces, that of whole images, or both."""
        found = [self.detector.parts] if self._of_faces else []
        if self.detector.whole is not None and (
            not found or any(result.image is not None for result in self.results)
        ):
            found.append(self.detector.whole.parts)
        return found

    @property
    def _of_faces(self) -> bool:
        return self.detector.parts.encoder.subject == "face" and self.subject != "image"

    @property
    def limits(self) -> list[str]:
        """What a reader must know before acting on a verdict, in sentences."""
        return [
            *(
                f"{parts.name} compares with {parts.calibration.counted}: at most "
                f"{100 * parts.calibration.alpha:g} % of photographs like those are called "
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
                "asked": None
                if not self._of_faces and self.detector.judges("faces")
                else self.asked,
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


@dataclass(frozen=True, eq=False)
class Exhibit:
    """One picture of a case.

    Attributes:
        number: in the case, from 1.
        result: what was said of it.
        content: the bytes of its file; None where they can't be read.
        explanations: of what was judged in it, in that order; empty where none were asked for.
    """

    number: int
    result: ImageResult
    content: bytes | None
    explanations: Sequence[Explanation] = ()

    @property
    def name(self) -> str:
        """What the picture is called."""
        return self.result.path or "standard input"

    @cached_property
    def sha256(self) -> str | None:
        """SHA-256 of its file; None where that can't be read."""
        return None if self.content is None else hashlib.sha256(self.content).hexdigest()

    @cached_property
    def exif(self) -> tuple[ExifField, ...]:
        """Every field of its EXIF."""
        return () if self.content is None else exif_fields(self.content)

    def as_dict(self) -> dict[str, Any]:
        """The picture as JSON has it; `result` is what `exiface detect --json` says."""
        width, height = self.result.size
        judged: list[dict[str, Any]] = [
            {
                "which": which,
                "words": words()[each.verdict.value],
                "how_sure": each.how_sure,
                "sentence": each.sentence,
            }
            for which, each in judged_of(self.result)
        ]
        for said, explanation in zip(judged, self.explanations, strict=False):
            told = explanation.as_dict()
            said["explanation"] = {name: told[name] for name in _EXPLAINED}
        return {
            "number": self.number,
            "name": self.name,
            "sha256": self.sha256,
            "bytes": None if self.content is None else len(self.content),
            "width": width,
            "height": height,
            "how_sure": self.result.reason or self.result.how_sure,
            "judged": judged,
            "credentials": [link.as_dict() for link in self.result.declared.chain],
            "exif": [each.as_dict() for each in self.exif],
            "result": self.result.as_dict(),
        }


def judged_of(result: ImageResult) -> list[tuple[str, Judgement]]:
    """All that was judged in a picture, with what to call it; faces are counted from 1."""
    found = [(f"face {number}", face) for number, face in enumerate(result.faces, start=1)]
    return found if result.image is None else [*found, ("the image as a whole", result.image)]


def exhibits(
    case: Case, sources: Iterable[str | bytes | None], *, explained: bool = False
) -> Iterator[Exhibit]:
    """The pictures of a case, one after another; each is read again.

    Args:
        case: they belong to.
        sources: paths of the files, or their bytes; None = nowhere.
        explained: say why each verdict is what it is, which takes seconds a face.
    """
    for number, (result, source) in enumerate(zip(case.results, sources, strict=True), start=1):
        content = source if isinstance(source, bytes) else None
        if isinstance(source, str):
            with suppress(OSError):
                content = Path(source).read_bytes()
        explanations: list[Explanation] = []
        if explained and content is not None:
            with suppress(UserError):  # the file has changed since it was judged
                explanations += _explained(case, result, content)
        yield Exhibit(number, result, content, explanations)


def _explained(case: Case, result: ImageResult, content: bytes) -> Iterator[Explanation]:
    asked: list[tuple[Scope, int]] = [("faces", face) for face in range(len(result.faces))]
    if result.image is not None:
        asked.append(("image", 0))
    for subject, face in asked:
        yield explain(case.detector, content, face=face, cropped=case.cropped, subject=subject)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
