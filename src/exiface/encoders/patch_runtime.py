"""Run an exported encoder of whole images with ONNX Runtime; no torch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from exiface.encoders.description import (
    ATTENTION_FILE,
    EncoderDescription,
    EncoderError,
)
from exiface.encoders.encoder import Encoder
from exiface.encoders.runtime import Described, OnnxEncoder, session
from exiface.encoders.token_attention import attend
from exiface.photos.crops import Box, Crop, as_shown
from exiface.photos.patches import Patches

_AT_ONCE = 8  # patches: more at once are no faster


class OnnxPatchEncoder(Described):
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

    def inputs(self, photo: NDArray[np.uint8], box: Box) -> Crop:
        """The photograph (h, w, 3), whole: there is nothing to be cut out."""
        del box
        return photo

    def encode(self, inputs: Sequence[Crop] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Feature vectors (n, d) of n images (h, w, 3) uint8, RGB, at their own pixels."""
        features = np.empty((len(inputs), self.features), np.float32)
        for place, image in enumerate(inputs):
            each = self.each(as_shown(image))
            features[place] = each[0] if self.patches.pooling == "first" else each.mean(0)
        return features


def open_encoder(
    model: bytes,
    attention: bytes | None,
    description: EncoderDescription,
    *,
    threads: int | None = None,
) -> Encoder:
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
