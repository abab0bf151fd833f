"""What must be known of an encoder to use it: `encoder.json` beside `encoder.onnx`."""

from dataclasses import dataclass, field
from typing import Any, Self

from exiface.choices import Subject
from exiface.errors import UserError
from exiface.photos import Preprocessing
from exiface.photos.patches import Patches

ENCODER_FILE = "encoder.onnx"
# Weights of the attention of an encoder of whole images, whose other file makes tokens of patches.
ATTENTION_FILE = "attention.safetensors"
PATCHES = "patches"  # the architecture of encoders of whole images
# The head of an encoder that was trained to tell generated faces; only such an encoder has one.
CLASSIFIER_FILE = "classifier.safetensors"
GENERATED_HEAD = "generated"  # what that head is called among the others
_VERSION = 1


class EncoderError(UserError):
    """An encoder folder that is missing, incomplete, or of another version."""


@dataclass(frozen=True, slots=True)
class EncoderDescription:
    """An encoder, described; the preprocessing travels with it."""

    architecture: str  #: name in `exiface.encoders.architectures`, or `PATCHES`.
    features: int  #: length of the feature vector.
    #: how a photograph becomes the encoder's input: a face of it, or patches of the whole.
    takes: Preprocessing | Patches
    #: how it was trained (free form, for people and model cards).
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> Subject:
        """What the encoder looks at."""
        return "image" if isinstance(self.takes, Patches) else "face"

    @property
    def preprocessing(self) -> Preprocessing:
        """From a photograph and a face box to the input of an encoder of faces."""
        if isinstance(self.takes, Patches):
            raise EncoderError(
                "this encoder looks at whole images, and an encoder of faces is needed; what it "
                "makes of images: exiface features"
            )
        return self.takes

    @property
    def patches(self) -> Patches:
        """From a photograph to the patches that an encoder of whole images takes."""
        if isinstance(self.takes, Preprocessing):
            raise EncoderError("this encoder looks at faces, and one of whole images is needed")
        return self.takes

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "version": _VERSION,
            "architecture": self.architecture,
            "features": self.features,
            "preprocessing" if self.subject == "face" else "patches": self.takes.as_dict(),
            "provenance": self.provenance,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what `as_dict` made; another version, or other keys, are an EncoderError."""
        values = dict(values)
        if (version := values.pop("version", None)) != _VERSION:
            raise EncoderError(
                f"encoder description of version {version}, this exiface reads {_VERSION}; "
                "export the encoder again with this version"
            )
        try:
            whole = "patches" in values
            kind, key = (Patches, "patches") if whole else (Preprocessing, "preprocessing")
            takes: dict[str, Any] = {
                name: tuple(each) if isinstance(each, list) else each
                for name, each in values.pop(key).items()
            }
            return cls(takes=kind(**takes), **values)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise EncoderError(f"encoder description is not complete: {error}") from None
