"""The one interface of encoders, and those that ONNX Runtime runs, without torch."""

import logging
import sys
from collections.abc import Sequence
from itertools import groupby
from typing import Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from exiface.choices import Subject
from exiface.encoders.description import ATTENTION_FILE, EncoderDescription, EncoderError
from exiface.encoders.token_attention import attend
from exiface.photos.crops import Box, Crop, as_shown
from exiface.threads import session_options

_LOGGER = logging.getLogger(__name__)
_FACES_AT_ONCE = 4  # on a CPU: as fast as 32 at once, in a fifth of the memory
_PATCHES_AT_ONCE = 8  # more are no faster


class Encoder(Protocol):
    """What turns a photograph into a feature vector."""

    description: EncoderDescription  #: of the encoder, with its preprocessing.

    @property
    def subject(self) -> Subject:
        """What it looks at: a face, or the image as a whole."""
        return self.description.subject

    @property
    def features(self) -> int:
        """Length of the feature vector."""
        return self.description.features

    def inputs(self, photo: NDArray[np.uint8], box: Box) -> Crop:
        """What it takes of a photograph (h, w, 3) uint8, RGB.

        Of a face, whose box is in pixels, it is a crop (s, s, 3). Whole images (h, w, 3) uint8 are
        taken whole whatever the box.
        """

    def encode(self, inputs: Sequence[Crop] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Feature vectors (n, d) of what `inputs` gave of n faces or images."""


def providers() -> list[str]:
    """What runs models on this machine: a GPU first, where the runtime has one."""
    known = onnxruntime.get_available_providers()
    return [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in known]


def _session(model: bytes, threads: int | None) -> onnxruntime.InferenceSession:
    options = session_options(threads)
    try:
        session = onnxruntime.InferenceSession(model, options, providers=providers())
    except Exception as error:  # the runtime's own errors share no public base class
        raise EncoderError(f"not an ONNX model that can be run: {error}") from None
    device = session.get_providers()[0].removesuffix("ExecutionProvider")
    _LOGGER.info("encoder on %s in float32, threads: %d", device, options.intra_op_num_threads)
    return session


class OnnxEncoder(Encoder):
    """An encoder that turns face crops into feature vectors.

    It is made of the bytes of `encoder.onnx` and its description; `threads` work on one batch, None
    = one a core. What is no ONNX model, or none that the description fits, is an EncoderError.
    """

    def __init__(
        self, model: bytes, description: EncoderDescription, *, threads: int | None = None
    ) -> None:
        self.description = description
        self._session = _session(model, threads)
        on_gpu = "CUDAExecutionProvider" in self._session.get_providers()
        self._at_once = sys.maxsize if on_gpu else _FACES_AT_ONCE
        (self._input,) = self._session.get_inputs()
        outputs = self._session.get_outputs()
        if outputs[0].shape[-1] != description.features:
            raise EncoderError(
                f"the model gives {outputs[0].shape[-1]} features, its description says "
                f"{description.features}; export the encoder again"
            )

    def inputs(self, photo: NDArray[np.uint8], box: Box) -> Crop:
        """The crop of a face in a photograph (h, w, 3), by the description's preprocessing."""
        return self.description.preprocessing.crop(photo, box)

    def encode(self, inputs: Sequence[Crop] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn crops, n of (s, s, 3), into feature vectors (n, d).

        They are cut by the description's preprocessing; at own pixels, s may differ between them.
        """
        features = np.empty((len(inputs), self.features), np.float32)
        by_side = sorted(range(len(inputs)), key=lambda index: len(inputs[index]))
        for _, group in groupby(by_side, key=lambda index: len(inputs[index])):
            alike = list(group)
            for start in range(0, len(alike), self._at_once):
                part = alike[start : start + self._at_once]
                batch = self.description.preprocessing.normalise([inputs[index] for index in part])
                features[part] = self._session.run(None, {self._input.name: batch})[0]
        return features


class OnnxPatchEncoder(Encoder):
    """An encoder that turns whole images into feature vectors, whatever their size.

    Its model makes tokens of patches; `attention` has the bytes of `attention.safetensors`, None of
    an encoder without. See `OnnxEncoder` for the rest.
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
        self.patches = description.patches
        self._tokens = _session(model, threads)
        try:
            weights = {} if attention is None else load(attention)
            self._attention = {name: each.astype(np.float32) for name, each in weights.items()}
        except (SafetensorError, ValueError) as error:
            raise EncoderError(f"{ATTENTION_FILE} is damaged: {error}") from None

    def tokens(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Tokens (n, d) of the n patches of an image (h, w, 3) uint8, RGB."""
        batches = self.patches.batches(pixels, _PATCHES_AT_ONCE)
        return np.concatenate([self._tokens.run(None, {"patches": each})[0] for each in batches])

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
    """Open an encoder of faces or of whole images; see `OnnxPatchEncoder` for the arguments."""
    if description.subject == "image":
        return OnnxPatchEncoder(model, attention, description, threads=threads)
    return OnnxEncoder(model, description, threads=threads)
