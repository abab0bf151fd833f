"""Run an exported encoder with ONNX Runtime; no torch."""

import sys
from collections.abc import Sequence
from itertools import groupby

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from exiface.choices import Subject
from exiface.encoders.description import EncoderDescription, EncoderError
from exiface.photos.crops import Box, Crop
from exiface.threads import session_options

_AT_ONCE = 4  # faces on a CPU: as fast as 32 at once, in a fifth of the memory


def providers() -> list[str]:
    """What runs models on this machine: a GPU first, where the runtime has one."""
    known = onnxruntime.get_available_providers()
    return [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in known]


def session(model: bytes, *, threads: int | None = None) -> onnxruntime.InferenceSession:
    """A model ready to run, on a GPU where the runtime has one.

    Args:
        model: the bytes of an ONNX file.
        threads: for one batch; None = one a core.

    Raises:
        EncoderError: not an ONNX model.
    """
    try:
        return onnxruntime.InferenceSession(model, session_options(threads), providers=providers())
    except Exception as error:  # the runtime's own errors share no public base class
        raise EncoderError(f"not an ONNX model that can be run: {error}") from None


class Described:
    """What an encoder's description says of it."""

    description: EncoderDescription

    @property
    def subject(self) -> Subject:
        """What it looks at."""
        return self.description.subject

    @property
    def features(self) -> int:
        """Length of the feature vector."""
        return self.description.features


class OnnxEncoder(Described):
    """An encoder that turns face crops into feature vectors.

    Args:
        model: the bytes of `encoder.onnx`.
        description: of the encoder.
        threads: for one batch; None = one a core.

    Raises:
        EncoderError: not an ONNX model, or not one that the description fits.
    """

    def __init__(
        self, model: bytes, description: EncoderDescription, *, threads: int | None = None
    ) -> None:
        self.description = description
        self._session = session(model, threads=threads)
        on_gpu = "CUDAExecutionProvider" in self._session.get_providers()
        self._at_once = sys.maxsize if on_gpu else _AT_ONCE
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
        """Turn crops into feature vectors.

        Args:
            inputs: crops, n of (s, s, 3), cut by the description's preprocessing; of encoders that
                look at own pixels, s may differ between them.

        Returns:
            (n, d) float32.
        """
        features = np.empty((len(inputs), self.description.features), np.float32)
        by_side = sorted(range(len(inputs)), key=lambda index: len(inputs[index]))
        for _, group in groupby(by_side, key=lambda index: len(inputs[index])):
            alike = list(group)
            for start in range(0, len(alike), self._at_once):
                part = alike[start : start + self._at_once]
                batch = self.description.preprocessing.normalise([inputs[index] for index in part])
                features[part] = self._session.run(None, {self._input.name: batch})[0]
        return features
