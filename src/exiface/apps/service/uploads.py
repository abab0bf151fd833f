"""Pictures out of a request: in memory only, and never more of them than allowed."""

import asyncio
from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from exiface.apps.service.settings import ServiceSettings
from exiface.photos.images import TooManyPixelsError, declared_size

_FIELD = "files"
_PATIENCE = 4  # times the largest request


@dataclass(eq=False)
class RefusedError(Exception):
    """A request that is not answered.

    Attributes:
        status: HTTP status.
        code: for programs.
        detail: for people.
        unread: part of the request was not received, so that the connection has no further use.
    """

    status: int
    code: str
    detail: str
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """One uploaded file, by the name that the client gives it."""

    name: str
    content: bytes


class _InMemory(MultiPartParser):
    """Starlette's parser, which keeps parts above this size in files: pictures are not stored."""

    spool_max_size = 2**62


async def read_form(
    request: Request, settings: ServiceSettings, texts: Collection[str] = ()
) -> tuple[list[Picture], dict[str, str]]:
    """Receive the pictures of a request, and the texts beside them.

    Args:
        request: multipart/form-data with one or several parts called `files`.
        settings: with the limits.
        texts: names of the parts that may be texts, each at most once.

    Raises:
        RefusedError: another form, too large, too many, too slow, too many pixels.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise RefusedError(415, "not_multipart", "send multipart/form-data with a field `files`")
    parser = _InMemory(
        request.headers, _limited(request, settings), max_files=settings.max_files, max_fields=8
    )
    try:
        async with asyncio.timeout(settings.upload_seconds):
            form = await parser.parse()
    except TimeoutError:
        detail = f"the request did not arrive within {settings.upload_seconds:g} s"
        raise RefusedError(408, "too_slow", detail, unread=True) from None
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise RefusedError(
                413, "too_many_files", f"at most {settings.max_files} files a request"
            ) from None
        raise RefusedError(400, "bad_multipart", error.message) from None
    except (KeyError, ValueError) as error:  # no boundary, headers that can't be decoded
        raise RefusedError(400, "bad_multipart", f"malformed multipart: {error}") from None
    files = [part for part in form.getlist(_FIELD) if isinstance(part, UploadFile)]
    said = {name: text for name in texts if isinstance(text := form.get(name), str)}
    if not files or len(files) + len(said) < len(form.multi_items()):
        await form.close()
        known = ", ".join(f"`{name}`" for name in texts)
        beside = f"nothing else but one each of the texts {known}" if texts else "nothing else"
        raise RefusedError(
            422, "no_files", f"the form must have files in parts called `files`, and {beside}"
        )
    pictures = [Picture(file.filename or "image", await file.read()) for file in files]
    await form.close()
    for number, picture in enumerate(pictures, start=1):
        await asyncio.to_thread(_check_pixels, number, picture, settings.max_pixels)
    return pictures, said


def _check_pixels(number: int, picture: Picture, most: int) -> None:
    try:
        width, height = declared_size(picture.content) or (0, 0)
        has = f"is {width} x {height} pixels" if width * height > most else None
    except TooManyPixelsError:
        has = "declares far too many pixels"
    if has is not None:
        detail = f"file {number} {has}; at most {most / 1e6:g} megapixels an image"
        raise RefusedError(413, "too_many_pixels", detail)


async def _limited(request: Request, settings: ServiceSettings) -> AsyncGenerator[bytes, None]:
    declared = request.headers.get("content-length", "")
    refused = declared.isdigit() and int(declared) > settings.max_body
    received = 0
    detail = f"at most {settings.max_body_mb:g} MB a request; send fewer or smaller files"
    async for chunk in request.stream():
        received += len(chunk)
        refused = refused or received > settings.max_body
        if not refused:
            yield chunk
        # A client that is told in the middle of sending often sees a broken connection instead of
        # the answer: what is not much too large is received, and forgotten, to its end.
        elif received > _PATIENCE * settings.max_body:
            raise RefusedError(413, "too_large", detail, unread=True)
    if refused:
        raise RefusedError(413, "too_large", detail)
