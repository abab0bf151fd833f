"""What `-` means: the bytes of one picture, or paths of pictures, one a line."""

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from exiface.errors import UserError

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"GIF8", b"BM")
_HEAD = 16


def read_input(stream: BinaryIO) -> bytes | Iterator[str]:
    """Read the bytes of a picture on standard input, or the paths of several, as they come.

    Raises:
        UserError: there is nothing on it.
    """
    head = stream.read(_HEAD)
    if not head.strip():
        raise UserError(
            "nothing came on standard input; give a picture (exiface detect - < photo.jpg) or "
            "paths, one a line (ls *.jpg | exiface detect -)"
        )
    in_a_box = (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or head[4:8] == b"ftyp"
    if head.startswith(_SIGNATURES) or in_a_box:
        return head + stream.read()
    return _paths(head, stream)


def read_paths(stream: BinaryIO) -> Iterator[str]:
    """Read paths, one a line, from standard input.

    Raises:
        UserError: there is nothing on it, or the bytes of a picture.
    """
    found = read_input(stream)
    if isinstance(found, bytes):
        raise UserError(
            "a picture came on standard input, and paths are needed, one a line; one picture is "
            "judged by: exiface detect - < photo.jpg"
        )
    yield from found


def _paths(head: bytes, stream: BinaryIO) -> Iterator[str]:
    first = head + stream.readline()
    for line in chain(first.splitlines(), stream):
        path = line.decode("utf-8", "surrogateescape").strip("\r\n")
        if path.strip():
            yield path
