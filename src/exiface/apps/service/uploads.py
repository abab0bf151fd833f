"""Pictures out of a request: in memory only, and never more of them than allowed."""

import asyncio
from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass, field

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from exiface.apps.service.settings import ServiceSettings
from exiface.photos.images import TooManyPixelsError, declared_size

_FIELD = "files"
_PATIENCE = 4  # times the largest request


# Part of the request was not received, so that the connection has no further use.
_CLOSED = {"connection": "close"}


@dataclass(eq=False)
class RefusedError(Exception):
    """A request that is not answered."""

    status: int  #: of HTTP.
    code: str  #: for programs.
    detail: str  #: for people.
    headers: dict[str, str] = field(default_factory=dict)  #: of the answer.


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
    """Receive the pictures of a request, in parts called `files`, and the texts beside them.

    Each of the `texts` may come once.

    Raises:
        RefusedError: the form is another one, too large or too slow, or holds too much.
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
        raise RefusedError(408, "too_slow", detail, _CLOSED) from None
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            detail = f"at most {settings.max_files} files a request"
            raise RefusedError(413, "too_many_files", detail) from None
        raise RefusedError(400, "bad_multipart", error.message) from None
    except (KeyError, ValueError) as error:  # no boundary, headers that can't be decoded
        raise RefusedError(400, "bad_multipart", f"malformed multipart: {error}") from None
    files = [part for part in form.getlist(_FIELD) if isinstance(part, UploadFile)]
    said = {name: text for name in texts if isinstance(text := form.get(name), str)}
    if not files or len(files) + len(said) < len(form.multi_items()):
        await form.close()
        known = ", ".join(f"`{name}`" for name in texts)
        beside = f" but one each of the texts {known}" if texts else ""
        detail = f"the form must have files in parts called `files`, and nothing else{beside}"
        raise RefusedError(422, "no_files", detail)
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
            raise RefusedError(413, "too_large", detail, _CLOSED)
    if refused:
        raise RefusedError(413, "too_large", detail)
