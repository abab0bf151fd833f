"""What every encoder keeps to, of faces or of whole images."""

import numpy as np
import pytest

from exiface.detector.encoders_inside import encoder_named


@pytest.fixture(scope="module", params=["default", "whole-image"])
def encoder(request):
    return encoder_named(request.param).open()


def test_each_input_has_a_vector_whatever_stands_beside_it(encoder, astronaut, face):
    noise = np.random.default_rng(0).integers(0, 256, (300, 330, 3), np.uint8)
    photos = [astronaut[:300], noise, astronaut]
    inputs = [encoder.inputs(photo, face.box) for photo in photos]
    features = encoder.encode(inputs)
    assert features.shape == (3, encoder.features)
    assert features.dtype == np.float32
    alone = np.concatenate([encoder.encode([each]) for each in inputs])
    np.testing.assert_allclose(features, alone, atol=1e-4)
    assert np.abs(features[0] - features[1]).max() > 1e-2
    assert encoder.encode([]).shape == (0, encoder.features)
