"""What must be known of an encoder to use it: `encoder.json` beside `encoder.onnx`."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from exiface.errors import UserError
from exiface.photos import Preprocessing

ENCODER_FILE = "encoder.onnx"
DESCRIPTION_FILE = "encoder.json"
# One sha256 a line: the photographs that shaped the encoder, so that none of them calibrates.
SEEN_FILE = "photographs.txt"
# The linear heads of the pretext task, by name: weights (d,) over the features. Their order is what
# they have learnt; offsets say nothing.
HEADS_FILE = "heads.safetensors"
# The head of an encoder that was trained to tell generated faces; only such an encoder has one.
CLASSIFIER_FILE = "classifier.safetensors"
_VERSION = 1


class EncoderError(UserError):
    """An encoder folder that is missing, incomplete, or of another version."""


@dataclass(frozen=True, slots=True)
class EncoderDescription:
    """An encoder, described; the preprocessing travels with it.

    Attributes:
        architecture: name in `exiface.encoders.architectures`.
        features: length of the feature vector.
        preprocessing: from a photograph and a face box to the encoder's input.
        provenance: how it was trained (free form, for people and model cards).
    """

    architecture: str
    features: int
    preprocessing: Preprocessing
    provenance: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "version": _VERSION,
            "architecture": self.architecture,
            "features": self.features,
            "preprocessing": self.preprocessing.as_dict(),
            "provenance": self.provenance,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what `as_dict` made.

        Raises:
            EncoderError: another version, a key missing or unknown.
        """
        values = dict(values)
        if (version := values.pop("version", None)) != _VERSION:
            raise EncoderError(
                f"encoder description of version {version}, this exiface reads {_VERSION}; "
                "export the encoder again with this version"
            )
        try:
            preprocessing = Preprocessing.from_dict(values.pop("preprocessing"))
            return cls(preprocessing=preprocessing, **values)
        except (KeyError, TypeError, ValueError) as error:
            raise EncoderError(f"encoder description is not complete: {error}") from None

    def write(self, folder: Path) -> None:
        """Write `encoder.json` into a folder."""
        text = json.dumps(self.as_dict(), indent=2) + "\n"
        (folder / DESCRIPTION_FILE).write_text(text, encoding="utf-8")
