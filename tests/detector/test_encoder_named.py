"""The encoders of the detectors inside the package, by name."""

import numpy as np
import pytest

from exiface import Detector
from exiface.detector.fitting import read_classifier
from exiface.detector.folder import encoder_named
from exiface.encoders import EncoderError


def test_a_name_stands_for_the_encoder_of_that_detector(astronaut, face):
    files = encoder_named("default")
    parts = Detector.load("default").parts
    crop = files.description.preprocessing.crop(astronaut, face.box)
    np.testing.assert_array_equal(files.open().encode([crop]), parts.open_encoder().encode([crop]))
    features = files.open().encode([crop])
    np.testing.assert_array_equal(
        read_classifier(files).score(features), parts.scorer.score(features)
    )
    assert encoder_named("whole-image").description.subject == "image"
    assert set(encoder_named("photographs-only").heads) >= {"aperture", "iso_speed"}
    with pytest.raises(EncoderError, match="gone holds no encoder"):
        encoder_named("gone")
