"""From a trained network to ONNX."""

import contextlib
import copy
import hashlib
import io
import logging
import warnings
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from exiface.encoders.description import EncoderDescription, EncoderError
from exiface.encoders.elsewhere import find_architecture, number_of_features
from exiface.encoders.folder import EncoderFolder
from exiface.encoders.image_encoder import ImageEncoder
from exiface.encoders.weights import load_backbone
from exiface.photos import Preprocessing

_FEW = 256  # weights that aren't worth halving
# Modules in which a normalisation that is registered after a convolution is applied to its output.
_IN_ORDER = (nn.Sequential, BasicBlock, Bottleneck, ResNet)


def export(
    network: nn.Module,
    preprocessing: Preprocessing,
    folder: Path,
    *,
    name: str | None = None,
    seen: Collection[str] = (),
) -> Path:
    """Make an encoder of any network, for `fit`, `features` and `evaluate`, and return its path.

    Args:
        network: (n, 3, s, s) -> (n, features), float32; it is copied and set to evaluation.
        preprocessing: how a face becomes its input; s is its `size`.
        folder: where to; made if need be.
        name: what the encoder is called; None = the class of the network.
        seen: sha256 of the photographs that it was trained on: `fit` calibrates on others.

    Raises:
        EncoderError: the network does not make such features of such crops.
    """
    features = number_of_features(network, preprocessing.size)
    described = EncoderDescription(name or type(network).__name__, features, preprocessing)
    return export_encoder(network, described, folder, seen=seen)


def import_weights(weights: Path, architecture: str, folder: Path) -> Path:
    """Make an encoder of a file of weights, of which nothing is executed, and return its path.

    Args:
        weights: a state dictionary (safetensors, or torch's format without code).
        architecture: the network that they belong to (see `find_architecture`).
        folder: where to; made if need be.

    Raises:
        EncoderError: weights that are missing or damaged, or don't belong to it.
    """
    found = find_architecture(architecture)
    if found.subject != "face":
        raise EncoderError(f"{architecture} looks at whole images, and one of faces is needed")
    network = found.build()
    load_backbone(network, weights, last_layer=found.last_layer)
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    imported = {"file": weights.name, "sha256": digest, "title": f"weights of {architecture}"}
    described = EncoderDescription(
        architecture, found.features, found.preprocessing(), {"imported": imported}
    )
    return export_encoder(network, described, folder)


def export_encoder(
    network: nn.Module,
    description: EncoderDescription,
    folder: Path,
    *,
    half: bool = False,
    heads: Mapping[str, Tensor] | None = None,
    classifier: Mapping[str, Tensor] | None = None,
    seen: Collection[str] = (),
) -> Path:
    """Write the folder of an encoder, and return the path of the model.

    It makes `features` of `crops` (any n), or `tokens` of `patches`: those of whole images become
    tokens a few at a time, and only then a feature, so that memory stays flat.

    Args:
        network: (n, 3, s, s) -> (n, features); of whole images an `ImageEncoder`, which pools as
            the description says.
        description: of the encoder.
        folder: where to; made if need be.
        half: keep weights in half precision, which halves the files; they compute as ever.
        heads: weights (d,) of the heads of its task over the features, by name.
        classifier: arrays of the head that tells generated faces.
        seen: sha256 of the photographs that shaped the encoder.
    """
    dynamic = {0: "n"}
    attention = None
    if isinstance(network, ImageEncoder):
        assert network.pooling == description.patches.pooling  # noqa: S101 - or use is not training
        side = description.patches.side
        example = torch.zeros(2, 3, side, side)
        content = _onnx(_for_export(_Tokens(network)), example, dynamic, "patches", "tokens")
        if network.attention is not None:
            weights = network.attention.state_dict()
            dtype = torch.float16 if half else torch.float32
            attention = save({name: tensor.cpu().to(dtype) for name, tensor in weights.items()})
    else:
        preprocessing = description.preprocessing
        example = torch.zeros(2, 3, preprocessing.size, preprocessing.size)
        if preprocessing.largest is not None:
            dynamic |= {2: "height", 3: "width"}
        content = _onnx(_for_export(network), example, dynamic, "crops", "features")
    return EncoderFolder(
        _halved(content) if half else content,
        description,
        attention,
        _arrays(heads or {}),
        _arrays(classifier or {}),
        frozenset(seen),
    ).write(folder)


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, NDArray[np.float32]]:
    return {name: tensor.detach().float().cpu().numpy() for name, tensor in tensors.items()}


class _Tokens(nn.Module):
    """The part of the encoder that sees each patch by itself, for the exporter."""

    def __init__(self, network: ImageEncoder) -> None:
        super().__init__()
        self.network = network

    def forward(self, patches: Tensor) -> Tensor:
        return self.network.tokens(patches)


def _halved(content: bytes) -> bytes:
    """The model with its weights as float16; they become float32 again when it is loaded."""
    model = onnx.load_from_string(content)
    graph = model.graph
    casts = []
    for weights in graph.initializer:
        if weights.data_type != onnx.TensorProto.FLOAT or np.prod(weights.dims) < _FEW:
            continue
        name, stored = weights.name, f"{weights.name}.float16"
        values = onnx.numpy_helper.to_array(weights).astype(np.float16)
        weights.CopyFrom(onnx.numpy_helper.from_array(values, stored))
        cast = onnx.helper.make_node("Cast", [stored], [name], to=onnx.TensorProto.FLOAT)
        casts.append(cast)
    for cast in reversed(casts):
        graph.node.insert(0, cast)
    return bytes(model.SerializeToString())


def _onnx(
    network: nn.Module, example: Tensor, dynamic: dict[int, str], takes: str, gives: str
) -> bytes:
    dimensions = {place: torch.export.Dim(name) for place, name in dynamic.items()}
    with _quiet():
        program = torch.onnx.export(
            network,
            (example,),
            input_names=[takes],
            output_names=[gives],
            dynamic_shapes=(dimensions,),
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # noqa: S101 - only None for the old exporter
    # Where in which file each of its nodes was made is left out.
    model = program.model_proto  # made anew each time that it is asked for
    graph = model.graph
    in_functions = (node for function in model.functions for node in function.node)
    values = (*graph.value_info, *graph.input, *graph.output, *graph.initializer)
    for holder in (model, graph, *graph.node, *model.functions, *in_functions, *values):
        holder.ClearField("metadata_props")
        holder.ClearField("doc_string")
    return bytes(model.SerializeToString())


def _for_export(network: nn.Module) -> nn.Module:
    """The same network in fewer steps, a copy: the exporter takes half of the time."""
    network = copy.deepcopy(network).to("cpu").eval()
    for module in network.modules():
        if isinstance(module, nn.ReLU | nn.Hardtanh):
            module.inplace = False  # what works in place is taken apart, slowly
        if isinstance(module, _IN_ORDER):
            for (name, first), (next_name, second) in pairwise(list(module.named_children())):
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    setattr(module, name, fuse_conv_bn_eval(first, second))
                    setattr(module, next_name, nn.Identity())
    return network


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the exporter prints, logs, and warns of."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
