"""What a file declares of its origin, in one place: marks, contradictions, a line in words.

It stands beside the verdict and never enters it: a mark can be forged or copied, and its absence
proves nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image

from exiface.photos.content_credentials import WHERE, credentials
from exiface.photos.credential_chain import CredentialLink
from exiface.photos.marks import Mark, Verified, What
from exiface.photos.metadata_marks import metadata_marks

_MOST = 40  # marks that are kept
# What speaks first, where a file says several things.
_FIRST = (
    (What.GENERATED, What.SETTINGS),
    (What.COMPOSITE,),
    (What.COMPUTED, What.DRAWN),
    (What.CAPTURED,),
    (What.CREDENTIALS,),
    (What.EDITED,),
    (What.PROGRAM,),
)
_SIGNATURE = {
    Verified.VALID: "signature valid",
    Verified.UNKNOWN_SIGNER: "signature valid, signer unknown",
    Verified.INVALID: "signature invalid",
}


@dataclass(frozen=True, slots=True)
class Declared:
    """What a file declares of its origin.

    Example:
        >>> Declared().line
        'The file says nothing of its origin.'
    """

    marks: tuple[Mark, ...] = ()  #: one each; empty where nothing is declared.
    contradictions: tuple[str, ...] = ()  #: sentences on what doesn't fit together.
    unread: tuple[str, ...] = ()  #: sentences on what is there and could not be read.
    #: the Content Credentials, link by link; empty where there are none.
    chain: tuple[CredentialLink, ...] = ()

    @property
    def line(self) -> str:
        """The strongest of the marks in words."""
        for kinds in _FIRST:
            if found := [mark for mark in self.marks if mark.what in kinds]:
                # Signed ones speak for the others, then those that name who did it.
                return _sentence(
                    min(found, key=lambda mark: (mark.verified is None, mark.by is None))
                )
        return "The file says nothing of its origin."

    @property
    def generated(self) -> bool:
        """Whether the file itself says that a generative model made the picture."""
        return any(mark.is_generated for mark in self.marks)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it; `contradictions` and `unread` only where there are any."""
        values: dict[str, Any] = {
            "declares": self.line,
            "declared": [mark.as_dict() for mark in self.marks],
        }
        if self.contradictions:
            values["contradictions"] = [*self.contradictions]
        if self.unread:
            values["unread"] = [*self.unread]
        return values


def read_declared(image: Image.Image, exif: Mapping[int, Any], content: bytes | None) -> Declared:
    """What a file declares of its origin; damaged marks are left out, and said so.

    The image was opened by Pillow and loaded; `exif` has its EXIF fields by number, and `content`
    the bytes of the file. Without these there are no Content Credentials.
    """
    marks, unread = metadata_marks(image, exif)
    # MPO: a JPEG with others behind it.
    media_type = Image.MIME.get("JPEG" if image.format == "MPO" else image.format or "")
    chain: tuple[CredentialLink, ...] = ()
    if content is not None and media_type is not None:
        signed, chain, missing = credentials(content, media_type)
        marks, unread = signed + marks, missing + unread
    kept = tuple(dict.fromkeys(marks))[:_MOST]
    contradictions = tuple(_contradictions(kept, image.size, exif))
    return Declared(kept, contradictions, tuple(unread), chain)


def _sentence(mark: Mark) -> str:
    where = mark.where
    if mark.verified is not None:
        where += f", {_SIGNATURE[mark.verified]}"
    if mark.what is What.SETTINGS:
        return f"The file carries the settings of {mark.by} ({where})."
    says = mark.says
    if mark.what is What.GENERATED and mark.by:
        says = f"it was made by {mark.by}"
    elif mark.by and mark.by not in says:
        where = where.replace(mark.where, f"{mark.where}: {mark.by}", 1)
    forged = mark.what is What.CAPTURED and mark.verified is not Verified.VALID
    return f"The file says that {says} ({where}){': easily forged' if forged else ''}."


def _contradictions(
    marks: tuple[Mark, ...], size: tuple[int, int], exif: Mapping[int, Any]
) -> list[str]:
    found = []
    generated = next((mark for mark in marks if mark.is_generated), None)
    captured = next((mark for mark in marks if mark.what is What.CAPTURED), None)
    if generated and captured:
        found.append(
            f"The file says that a camera took it ({captured.where}: "
            f"{captured.by or captured.raw}) and that a generative model made it "
            f"({generated.where}: {generated.by or generated.raw})."
        )
    if any(mark.where == WHERE and mark.verified is Verified.INVALID for mark in marks):
        found.append(
            "The Content Credentials don't fit: the file was changed after it was signed, or the "
            "signature is false."
        )
    width, height = (
        exif.get(field) for field in (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)
    )
    recorded = (width, height)
    if all(isinstance(side, int) and side > 0 for side in recorded) and set(recorded) != set(size):
        found.append(
            f"EXIF records {width} x {height} px, the file has {size[0]} x {size[1]}: it was "
            "cropped or resized since, or carries the metadata of another picture."
        )
    return found
