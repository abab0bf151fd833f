"""The one interface of encoders, of faces and of whole images."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from exiface.choices import Subject
from exiface.encoders.description import EncoderDescription
from exiface.photos.crops import Box, Crop


class Encoder(Protocol):
    """What turns a photograph into a feature vector.

    Attributes:
        description: of the encoder, with its preprocessing.
    """

    description: EncoderDescription

    @property
    def subject(self) -> Subject:
        """What it looks at: a face, or the image as a whole."""
        return self.description.subject

    @property
    def features(self) -> int:
        """Length of the feature vector."""
        return self.description.features

    def inputs(self, photo: NDArray[np.uint8], box: Box) -> Crop:
        """What it takes of a photograph.

        Args:
            photo: (h, w, 3) uint8, RGB.
            box: of the face, in pixels; whole images are taken whole whatever the box.

        Returns:
            (s, s, 3) of a face; (h, w, 3) uint8 of a whole image.
        """

    def encode(self, inputs: Sequence[Crop] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Feature vectors (n, d) of what `inputs` gave of n faces or images."""
