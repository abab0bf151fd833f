import copy

import numpy as np
import pytest
import torch
from made import with_statistics
from torch import nn

from exiface.encoders import EncoderDescription, EncoderFolder, OnnxEncoder
from exiface.encoders.own_pixels import OwnPixelsEncoder
from exiface.encoders.to_onnx import export_encoder
from exiface.photos import Preprocessing

PREPROCESSING = Preprocessing(64, largest=96)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return with_statistics(OwnPixelsEncoder(), torch.randn(8, 3, 64, 64))


@pytest.fixture(scope="module")
def crops(astronaut, face):
    """Crops of different sides, each at its own pixels."""
    x0, y0 = face.box[:2]
    boxes = [(x0, y0, x0 + side, y0 + side) for side in (45.0, 60.0, 70.0, 60.0, 90.0)]
    crops = [PREPROCESSING.crop(astronaut, box) for box in boxes]
    assert [len(crop) for crop in crops] == [64, 78, 91, 78, 96]
    return crops


def plain(network):
    """The same network with torch's own convolutions."""
    twin = copy.deepcopy(network)
    for module in twin.modules():
        if isinstance(module, nn.Conv2d):
            module.__class__ = nn.Conv2d
    return twin


@pytest.mark.parametrize("side", [64, 71])
def test_gradients_are_those_of_the_plain_convolution(network, side):
    torch.manual_seed(1)
    crops = torch.randn(3, 3, side, side)
    gradients = []
    for each in (copy.deepcopy(network).double().train(), plain(network).double().train()):
        inputs = crops.double().requires_grad_()
        each(inputs).square().mean().backward()
        gradients.append([inputs.grad, *(p.grad for p in each.parameters())])
    assert sum(type(m).__name__ == "_StridedDepthwise" for m in network.modules()) == 4
    for ours, theirs in zip(*gradients, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_left_and_right_do_not_matter_in_use(network):
    torch.manual_seed(2)
    crops = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        assert torch.allclose(network(crops), network(crops.flip(3)), atol=1e-5)
        assert not torch.allclose(network(crops)[:1], network(crops)[1:], atol=1e-2)


def test_crops_of_any_size_go_through_onnx_as_through_torch(network, crops, tmp_path):
    export_encoder(network, EncoderDescription("own-pixels", 1280, PREPROCESSING), tmp_path)
    files = EncoderFolder.read(tmp_path)
    model, description = files.model, files.description
    encoder = OnnxEncoder(model, description)
    features = encoder.encode(crops)
    assert features.shape == (5, description.features)
    for crop, found in zip(crops, features, strict=True):
        with torch.inference_mode():
            expected = network(torch.from_numpy(PREPROCESSING.normalise([crop])))[0].numpy()
        assert np.abs(found - expected).max() < 1e-4
        assert np.abs(expected).max() > 1e-2  # or the line above says nothing
        assert np.abs(found - encoder.encode([crop])[0]).max() < 1e-4
    assert encoder.encode(crops[:0]).shape == (0, description.features)
    assert b"stack_trace" not in model  # nothing says where its source lay
