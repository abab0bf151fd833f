"""Networks that come from elsewhere, by name: torchvision's, timm's, or a function of one's own.

    architecture: torchvision:resnet18
    architecture: timm:vit_small_patch16_224
    architecture: my_package.networks:small

A function of one's own takes nothing and returns a network, crops (n, 3, 224, 224) -> features
(n, d), freshly initialised; or an `Architecture`, which says what is different.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial

import torch
from torch import nn
from torchvision.models import get_model, list_models

from exiface.encoders.architectures import ARCHITECTURES, Architecture, Channels
from exiface.encoders.description import EncoderError
from exiface.named import by_name

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and std, of torchvision's weights
_SIZE = 224
_HEADS = ("fc", "classifier", "heads", "head")  # what torchvision calls the layers that classify
_NONE = "-"  # no parameter begins so: these networks have no layer of features of their own


def find_architecture(name: str) -> Architecture:
    """The architecture of a name: of one in `ARCHITECTURES`, or of one from elsewhere.

    A name that stands for none, or for no network of crops, is an EncoderError or a UserError.
    """
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    if ":" not in name:
        raise EncoderError(
            f"there is no architecture {name!r}; it must be one of {', '.join(ARCHITECTURES)}, or "
            "torchvision:NAME, timm:NAME, package.module:function"
        )
    return _elsewhere(name)


@cache
def _elsewhere(name: str) -> Architecture:
    library, _, model = name.partition(":")
    if library == "timm":
        return _timm(model)
    if library == "torchvision":
        if model not in list_models():
            raise EncoderError(f"torchvision has no model {model!r}; see its list_models()")
        return _measured(name, partial(_torchvision, model), _SIZE, _IMAGENET)
    function = by_name(name)
    made = function()
    if isinstance(made, Architecture):
        return made
    return _measured(name, function, _SIZE)


def _torchvision(name: str) -> nn.Module:
    network: nn.Module = get_model(name, weights=None)
    for head in _HEADS:
        if hasattr(network, head):
            setattr(network, head, nn.Identity())
    return network


def _timm(name: str) -> Architecture:
    try:
        import timm
    except ImportError:
        raise EncoderError(f"timm:{name} needs timm: pip install timm") from None
    if not timm.is_model(name):
        raise EncoderError(f"timm has no model {name!r}; see timm.list_models()")
    build = partial(timm.create_model, name, pretrained=False, num_classes=0)
    takes = timm.data.resolve_model_data_config(build())
    return _measured(f"timm:{name}", build, takes["input_size"][-1], (takes["mean"], takes["std"]))


def _measured(
    name: str,
    build: Callable[[], nn.Module],
    size: int,
    scaled: tuple[Channels, Channels] | None = None,
) -> Architecture:
    """The architecture of a network whose features are counted by trying it."""
    network = build()
    if not isinstance(network, nn.Module):
        raise EncoderError(f"{name} must return a torch module, it returned {type(network)}")
    features = number_of_features(network, size)
    architecture = Architecture(build, features, size, _NONE)
    return architecture if scaled is None else replace(architecture, mean=scaled[0], std=scaled[1])


def number_of_features(network: nn.Module, size: int) -> int:
    """How many features a network makes of a crop of this side.

    A network that doesn't take crops, or doesn't give a vector for each, is an EncoderError.
    """
    was_training = network.training
    try:
        with torch.inference_mode():
            given = network.eval()(torch.zeros(2, 3, size, size))
    except RuntimeError as error:
        raise EncoderError(
            f"the network does not take crops (2, 3, {size}, {size}): {error}"
        ) from None
    finally:
        network.train(was_training)
    if not isinstance(given, torch.Tensor) or given.ndim != 2 or len(given) != 2:
        shape = tuple(given.shape) if isinstance(given, torch.Tensor) else type(given).__name__
        raise EncoderError(
            f"of two crops the network must make features (2, d), it made {shape}; put an "
            "nn.Flatten() or a pooling at its end"
        )
    return int(given.shape[1])
