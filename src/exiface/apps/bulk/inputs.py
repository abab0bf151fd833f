"""What is to be scored: images in folders, manifests, tar shards and lists, in blocks.

A block is the unit of work, of resuming and of sharding: a tar file, or a run of images from a
list. Blocks are numbered, the same at every start, because the list of inputs is written down once.
"""

import hashlib
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path

from exiface.datasets import find_images
from exiface.errors import UserError
from exiface.photos import IMAGE_SUFFIXES

TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz")
_LIST_FILE = "inputs.jsonl"


@dataclass(frozen=True, slots=True)
class Item:
    """One image to be scored."""

    path: str  #: how its row is called; `shard.tar/member` within a tar.
    source: str | bytes | None  #: a path or the bytes of a file; None where nothing can be read.
    reason: str | None = None  #: why there is nothing to read.


@dataclass(frozen=True, slots=True)
class Block:
    """A unit of work: images, or one tar file; its number counts from 0, over all shards."""

    number: int
    paths: tuple[str, ...]

    @property
    def tar(self) -> bool:
        """Whether it is a tar file."""
        return len(self.paths) == 1 and self.paths[0].lower().endswith(TAR_SUFFIXES)

    def items(self) -> Iterator[Item]:
        """Yield the images of the block, one by one."""
        if self.tar:
            yield from _members(self.paths[0])
        else:
            yield from (Item(path, path) for path in self.paths)


def number_of_images(blocks: Sequence[Block]) -> int | None:
    """Count the images of blocks; None where one is a tar file, which isn't opened to count."""
    return None if any(each.tar for each in blocks) else sum(len(each.paths) for each in blocks)


def list_inputs(sources: Iterable[str], standard_input: Iterable[str]) -> list[str]:
    """List the paths of images and tar files, each once, where it comes first.

    Sources are folders (searched at any depth), tar files, manifests or other Parquet files with a
    column `path`, image files, or `-` for paths on standard input.

    Raises:
        UserError: a source isn't there or holds nothing.
    """
    listed: dict[str, None] = {}
    for source in sources:
        found = dict.fromkeys(_listed(source, standard_input))
        if not found:
            raise UserError(f"{source} holds no image; name a folder, a tar file or a manifest")
        listed |= found
    return [*listed]


def settled_blocks(
    folder: Path, sources: Sequence[str], standard_input: Iterable[str], size: int = 512
) -> list[Block]:
    """List the blocks of a run at its first start, and read them back at every later one.

    A run that goes on may give no sources (see `list_inputs`), and keeps its size of blocks.

    Raises:
        UserError: there is nothing to score, or the folder belongs to a run on other sources.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listed = folder / _LIST_FILE
    asked = [source if source == "-" else str(Path(source).resolve()) for source in sources]
    if not listed.exists():
        if not sources:
            raise UserError(f"{folder} holds no run to go on with; name what is to be scored")
        paths = list_inputs(sources, standard_input)
        digest = hashlib.sha256("\n".join(paths).encode("utf-8", "surrogateescape")).hexdigest()
        head = {"sources": asked, "block": size, "number": len(paths), "sha256": digest}
        # Several shards may start at once: each writes its own, the last in place stands, and all
        # of them hold the same or one of them will say that they don't.
        partial = folder / f".{_LIST_FILE}-{os.getpid()}"
        with partial.open("w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(line) + "\n" for line in (head, *paths))
        partial.replace(listed)
    with listed.open(encoding="utf-8") as stream:
        head, *paths = (json.loads(line) for line in stream)
    if asked and asked != head["sources"]:
        raise UserError(
            f"{folder} belongs to a run on {', '.join(head['sources'])}; give another folder, or "
            "no source to go on with that run"
        )
    return list(_blocks(paths, head["block"]))


def _blocks(paths: Iterable[str], size: int) -> Iterator[Block]:
    number = 0
    for tar, run in groupby(paths, lambda path: path.lower().endswith(TAR_SUFFIXES)):
        while several := tuple(islice(run, 1 if tar else size)):
            yield Block(number, several)
            number += 1


def _listed(source: str, standard_input: Iterable[str]) -> Iterator[str]:
    path = Path(source)
    if source == "-":
        yield from (line.rstrip("\r\n") for line in standard_input if line.strip())
    elif path.is_dir():
        tars = sorted(each for each in path.rglob("*") if each.name.lower().endswith(TAR_SUFFIXES))
        yield from map(str, tars)
        yield from map(str, find_images([path]))
    elif path.suffix == ".parquet":
        yield from _of_parquet(path)
    elif path.exists():
        yield source
    else:
        raise UserError(f"{source}: no such file or folder")


def _of_parquet(path: Path) -> Iterator[str]:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path, columns=["path"])
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UserError(f"{path} is not a Parquet file with a column `path`: {error}") from None
    described = json.loads((table.schema.metadata or {}).get(b"exiface", b"{}"))
    root = path.parent / described.get("root", ".")
    for value in dict.fromkeys(table.column("path").to_pylist()):
        yield str((root / value).resolve())


def _members(path: str) -> Iterator[Item]:
    """The images of a tar file, read as a stream."""
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                if not member.isfile() or Path(member.name).suffix.lower() not in IMAGE_SUFFIXES:
                    continue
                stream = archive.extractfile(member)
                assert stream is not None  # noqa: S101 - it is a file
                yield Item(f"{path}/{member.name}", stream.read())
    except (tarfile.TarError, OSError, EOFError) as error:
        yield Item(path, None, f"damaged tar file, its rest is not scored: {error}")
