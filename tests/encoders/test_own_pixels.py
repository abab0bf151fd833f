import copy

import pytest
import torch
from made import with_statistics
from torch import nn

from exiface.encoders.own_pixels import OwnPixelsEncoder


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return with_statistics(OwnPixelsEncoder(), torch.randn(8, 3, 64, 64))


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
