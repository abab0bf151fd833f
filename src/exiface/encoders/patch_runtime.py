"""Run an exported encoder of whole images with ONNX Runtime; no torch."""

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from exiface.encoders.description import (
    ATTENTION_FILE,
    EncoderDescription,
    EncoderError,
)
from exiface.encoders.runtime import OnnxEncoder, session
from exiface.encoders.token_attention import attend
from exiface.photos.patches import Patches

_AT_ONCE = 8  # patches: more at once are no faster


class OnnxPatchEncoder:
    """An encoder that turns whole images into feature vectors, whatever their size.

    Args:
        model: the bytes of `encoder.onnx`, patches -> tokens.
        attention: the bytes of `attention.safetensors`; None of an encoder without attention, whose
            feature is the mean of the tokens.
        description: of the encoder.
        threads: for one image; None = one a core.

    Raises:
        EncoderError: not an ONNX model, no weights, or an encoder of faces.
    """

    def __init__(
        self,
        model: bytes,
        attention: bytes | None,
        description: EncoderDescription,
        *,
        threads: int | None = None,
    ) -> None:
        self.description = description
        self.patches: Patches = description.patches
        self._tokens = session(model, threads=threads)
        try:
            weights = {} if attention is None else load(attention)
            self._attention = {name: each.astype(np.float32) for name, each in weights.items()}
        except (SafetensorError, ValueError) as error:
            raise EncoderError(f"{ATTENTION_FILE} is damaged: {error}") from None

    def tokens(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Tokens (n, d) of the n patches of an image (h, w, 3) uint8, RGB."""
        return np.concatenate(
            [
                self._tokens.run(None, {"patches": batch})[0]
                for batch in self.patches.batches(pixels, _AT_ONCE)
            ]
        )

    def each(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What each of the n patches adds to the feature: (n, d), after any attention."""
        tokens = self.tokens(pixels)
        return attend(tokens, self._attention) if self._attention else tokens

    def encode(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The feature vector (d,) of an image (h, w, 3) uint8, RGB, at its own pixels."""
        attended = self.each(pixels)
        feature: NDArray[np.float32] = (
            attended[0] if self.patches.pooling == "first" else attended.mean(0)
        )
        return feature


def open_encoder(
    model: bytes,
    attention: bytes | None,
    description: EncoderDescription,
    *,
    threads: int | None = None,
) -> OnnxEncoder | OnnxPatchEncoder:
    """An encoder, of faces or of whole images, ready to run.

    Args:
        model: the bytes of `encoder.onnx`.
        attention: the bytes of `attention.safetensors`; None of an encoder without attention.
        description: of the encoder.
        threads: for one batch; None = one a core.
    """
    if description.subject == "image":
        return OnnxPatchEncoder(model, attention, description, threads=threads)
    return OnnxEncoder(model, description, threads=threads)
