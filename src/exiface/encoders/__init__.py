"""Face crop -> feature vector: descriptions and the ONNX runtime; `export` alone needs torch."""

from typing import TYPE_CHECKING, Any

from exiface.encoders.description import EncoderDescription, EncoderError
from exiface.encoders.folder import EncoderFolder
from exiface.encoders.runtime import Encoder, OnnxEncoder

if TYPE_CHECKING:
    from exiface.encoders.to_onnx import export

__all__ = [
    "Encoder",
    "EncoderDescription",
    "EncoderError",
    "EncoderFolder",
    "OnnxEncoder",
    "export",
]


def __getattr__(name: str) -> Any:
    if name == "export":  # when it is asked for: the using side does without torch
        from exiface.encoders.to_onnx import export

        return export
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
