"""Derivatives along a direction: those of dot products; kernels for batches change none."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.autograd import forward_ad
from torch.func import functional_call

from exiface.encoders.own_pixels import OwnPixelsEncoder
from exiface.papers.sdaie.network import PatchEncoder
from exiface.training.forward_mode import directional


def slow_twin(function, at, direction):
    with forward_ad.dual_level():
        return forward_ad.unpack_dual(function(list(map(forward_ad.make_dual, at, direction))))[1]


@given(
    st.sampled_from([(6, 3), (4, 3, 5), (2, 3, 4, 7), (2, 3, 2, 3, 4)]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(0, 9),
)
def test_batch_normalisation_is_torchs_own(shape, training, affine, tracked, seed):
    generator = torch.Generator().manual_seed(seed)
    kind = (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[len(shape) - 2]
    layer = kind(3, affine=affine, track_running_stats=tracked, momentum=0.3).double()
    layer.train(training)

    def drawn(like):
        return torch.randn(like.shape, generator=generator, dtype=torch.float64)

    names = [name for name, _ in layer.named_parameters()]
    at = [drawn(torch.empty(shape)), *map(drawn, layer.parameters())]
    moved = []

    def function(values):
        statistics = {name: each.clone() for name, each in layer.named_buffers()}
        moved.append(statistics)
        named = dict(zip(names, values[1:], strict=True))
        return functional_call(layer, named | statistics, (values[0],)).sin()

    direction = [drawn(each) for each in at]
    expected = slow_twin(function, at, direction)
    assert torch.allclose(directional(function, at, direction), expected, atol=1e-10)
    first, second = moved
    assert all(torch.allclose(first[name], second[name]) for name in first)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_network_in_half_the_precision(layout):
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU6(), nn.Conv2d(8, 4, 3)]
    network = nn.Sequential(*layers, nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(196, 2))
    images = torch.randn(6, 3, 20, 20).contiguous(memory_format=layout)
    names = [name for name, _ in network.named_parameters()]
    at = [each.detach() for each in network.parameters()]
    direction = [0.1 * torch.randn_like(each) for each in at]

    def function(values):
        return functional_call(network, dict(zip(names, values, strict=True)), (images,))

    expected = slow_twin(function, at, direction)
    assert torch.allclose(directional(function, at, direction), expected, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        half = directional(function, at, direction)
    assert torch.linalg.norm(half.float() - expected) < 0.05 * torch.linalg.norm(expected)


@pytest.mark.parametrize("build", [OwnPixelsEncoder, PatchEncoder])
def test_the_exact_derivative_is_that_of_dot_products(build):
    torch.manual_seed(0)
    network = build().double()
    # A patch encoder knows one size; batch normalisation wants several positions.
    crops = torch.randn(*((2, 2) if build is PatchEncoder else (4,)), 3, 64, 64).double()
    names = [name for name, _ in network.named_parameters()]
    parameters = [each.detach().requires_grad_() for each in network.parameters()]
    statistics = {name: each.clone() for name, each in network.named_buffers()}
    directions = [torch.randn_like(each) for each in parameters]

    def losses(values):
        # Statistics that normalisation moves are those of a copy.
        copies = {name: each.clone() for name, each in statistics.items()}
        named = dict(zip(names, values, strict=True)) | copies
        features = functional_call(network, named, (crops,))
        return torch.stack([features[:, :5].square().mean(), features[:, 5:9].sin().sum()])

    with torch.no_grad():
        found = directional(losses, parameters, directions)
    for loss, along in zip(losses(parameters), found, strict=True):
        gradients = torch.autograd.grad(loss, parameters, retain_graph=True, materialize_grads=True)
        pairs = zip(gradients, directions, strict=True)
        assert along.item() == pytest.approx(sum((g * d).sum().item() for g, d in pairs), rel=1e-8)
