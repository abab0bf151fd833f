"""Face crop -> feature vector: descriptions and the ONNX runtime (torch: see the submodules)."""

from exiface.encoders.description import EncoderDescription, EncoderError
from exiface.encoders.runtime import OnnxEncoder, read_encoder

__all__ = ["EncoderDescription", "EncoderError", "OnnxEncoder", "read_encoder"]
