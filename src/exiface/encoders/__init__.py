"""Face crop -> feature vector: descriptions and the ONNX runtime (torch: see the submodules)."""

from exiface.encoders.description import EncoderDescription, EncoderError
from exiface.encoders.folder import EncoderFolder
from exiface.encoders.runtime import OnnxEncoder

__all__ = ["EncoderDescription", "EncoderError", "EncoderFolder", "OnnxEncoder"]
