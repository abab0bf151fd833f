"""Derivatives along a direction, in one pass forward, with batch normalisation in one sweep."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import functional
from torch.overrides import TorchFunctionMode

Tensors = Sequence[Tensor]


def directional(function: Callable[[Tensors], Tensor], at: Tensors, direction: Tensors) -> Tensor:
    """The exact derivative of a function of several tensors, such as losses of parameters.

    It is taken `at` these tensors, along a direction that has a tensor for each of them.
    """
    with forward_ad.dual_level(), _FusedBatchNorm():
        dual = [
            forward_ad.make_dual(each.detach(), tangent)
            for each, tangent in zip(at, direction, strict=True)
        ]
        value, tangent = forward_ad.unpack_dual(function(dual))
        return torch.zeros_like(value) if tangent is None else tangent


class _FusedBatchNorm(TorchFunctionMode):
    """Normalises batches by kernels, which torch's own forward mode does in a dozen passes.

    That took most of a directional derivative's time, and two to four plain steps in all.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        return (_batch_norm if func is functional.batch_norm else func)(*args, **kwargs or {})


def _batch_norm(
    maps: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """`functional.batch_norm`, arguments included, of dual tensors."""
    duals = [forward_ad.unpack_dual(each) for each in (maps, weight, bias) if each is not None]
    if not training or len(duals) < 3 or any(each.tangent is None for each in duals):
        return functional.batch_norm(
            maps, running_mean, running_var, weight, bias, training, momentum, eps
        )
    (x, along), (scale, along_scale), (shift, along_shift) = duals
    value, mean, inverse = torch.native_batch_norm(
        x, scale, shift, running_mean, running_var, True, momentum, eps
    )
    # Per channel the derivative of a batch's normalisation is a symmetric matrix: the kernel that
    # takes gradients back takes tangents forward.
    tangent, _, _ = torch.ops.aten.native_batch_norm_backward(
        *(along, x, scale, running_mean, running_var, mean, inverse),
        *(True, eps, [True, False, False]),
    )
    # Scale and shift move as well: d(scale) (x - mean) / deviation + d(shift).
    slope = along_scale * inverse
    level = along_shift - slope * mean
    for_maps = (-1, *[1] * (x.ndim - 2))
    tangent.addcmul_(x, slope.view(for_maps).to(x.dtype)).add_(level.view(for_maps).to(x.dtype))
    dual: Tensor = forward_ad.make_dual(value, tangent)
    return dual
