"""The folder of an encoder: the one place where its files are read and written.

::

    encoder.json             version, architecture, preprocessing or patches, provenance
    encoder.onnx             the network
    attention.safetensors    the rest of it, of one of whole images with attention
    heads.safetensors        the linear heads of the pretext task, by name; absent where it has none
    classifier.safetensors   the head of one that was trained to tell generated faces; likewise
    photographs.txt          one sha256 a line: the photographs that shaped the encoder

`encoder.json` goes first and comes last: a folder that has it is complete, and nothing in it is of
another encoder that was there before.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from exiface.encoders.description import (
    ATTENTION_FILE,
    CLASSIFIER_FILE,
    ENCODER_FILE,
    PATCHES,
    EncoderDescription,
    EncoderError,
)
from exiface.encoders.runtime import Encoder, open_encoder

DESCRIPTION_FILE = "encoder.json"
_HEADS_FILE = "heads.safetensors"
_SEEN_FILE = "photographs.txt"

Arrays = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class EncoderFolder:
    """All that an encoder's folder holds."""

    model: bytes  #: the bytes of the ONNX model.
    description: EncoderDescription  #: of the encoder.
    #: the bytes of the weights of its attention; None of one without.
    attention: bytes | None = None
    #: weights (d,) of the heads of the pretext task over the features, by name. Their order is what
    #: they have learnt; offsets say nothing.
    heads: Arrays = field(default_factory=dict)
    #: arrays of the head that tells generated faces; empty where it has none.
    classifier: Arrays = field(default_factory=dict)
    #: sha256, or their first 16 digits, of the photographs that shaped the encoder, so that none of
    #: them calibrates.
    seen: Collection[str] = frozenset()

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the folder of an encoder; a file that is missing or damaged is an EncoderError."""
        missing = [
            name for name in (ENCODER_FILE, DESCRIPTION_FILE) if not (folder / name).is_file()
        ]
        if missing:
            raise EncoderError(
                f"{folder} holds no encoder ({', '.join(missing)} missing); name a run folder of "
                "`exiface train` whose training has ended"
            )
        try:
            values: dict[str, Any] = json.loads((folder / DESCRIPTION_FILE).read_text("utf-8"))
        except ValueError as error:
            raise EncoderError(f"{folder / DESCRIPTION_FILE} is not JSON: {error}") from None
        description = EncoderDescription.from_dict(values)
        attention = _bytes(folder / ATTENTION_FILE)
        if description.architecture == PATCHES and attention is None:
            raise EncoderError(f"{folder} lacks {ATTENTION_FILE}; import or export it again")
        return cls(
            (folder / ENCODER_FILE).read_bytes(),
            description,
            attention,
            _arrays(folder / _HEADS_FILE, "do without the cross-check of tags"),
            _arrays(folder / CLASSIFIER_FILE, "do without the classifier"),
            frozenset((_bytes(folder / _SEEN_FILE) or b"").decode().split()),
        )

    def write(self, folder: Path) -> Path:
        """Write the folder, or put this encoder in another one's place; other files stay.

        Killed on the way, the folder holds no encoder, never a mixture of two. The path of the
        model is returned.
        """
        contents = {
            ENCODER_FILE: self.model,
            ATTENTION_FILE: self.attention,
            _HEADS_FILE: save(dict(self.heads)) if self.heads else None,
            CLASSIFIER_FILE: save(dict(self.classifier)) if self.classifier else None,
            _SEEN_FILE: "".join(f"{digest}\n" for digest in sorted(self.seen)).encode() or None,
        }
        folder.mkdir(parents=True, exist_ok=True)
        described = json.dumps(self.description.as_dict(), indent=2) + "\n"
        beside = [_beside(folder / name, content) for name, content in contents.items() if content]
        last = _beside(folder / DESCRIPTION_FILE, described.encode())
        (folder / DESCRIPTION_FILE).unlink(missing_ok=True)
        for name, content in contents.items():
            if not content:
                (folder / name).unlink(missing_ok=True)
        for partial in (*beside, last):
            partial.replace(partial.with_suffix(""))
        return folder / ENCODER_FILE

    def open(self, threads: int | None = None) -> Encoder:
        """The encoder, ready to run; threads: for one batch, None = one a core."""
        return open_encoder(self.model, self.attention, self.description, threads=threads)


def are_among(sha256: NDArray[np.str_], seen: Collection[str]) -> NDArray[np.bool_]:
    """Which pictures (n,) an encoder has seen, by the first 64 bits of their SHA-256.

    Detectors keep no more of those that shaped them.

    Example:
        >>> are_among(np.array(["0123456789abcdef99", "f" * 18]), ["0123456789abcdef"]).tolist()
        [True, False]
    """
    return np.isin(sha256.astype("U16"), [each[:16] for each in seen])


def holds_encoder(folder: Path) -> bool:
    """Whether a folder holds an encoder, completely written."""
    return (folder / DESCRIPTION_FILE).is_file()


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _arrays(path: Path, otherwise: str) -> dict[str, NDArray[np.float32]]:
    """What a file of arrays holds; nothing where there is no file."""
    content = _bytes(path)
    if content is None:
        return {}
    try:
        return dict(load(content))
    except (SafetensorError, ValueError) as error:
        raise EncoderError(
            f"{path} can't be used ({error}); export the encoder again, or delete the file to "
            f"{otherwise}"
        ) from None


def _beside(path: Path, content: bytes) -> Path:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    return partial
