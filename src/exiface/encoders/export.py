"""From a trained network to `encoder.onnx`."""

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from exiface.encoders.description import ENCODER_FILE, EncoderDescription


def export(network: nn.Module, description: EncoderDescription, folder: Path) -> Path:
    """Write an encoder folder: `encoder.onnx` and `encoder.json`.

    Args:
        network: (n, 3, s, s) -> (n, features).
        description: of the encoder.
        folder: where to; made if need be.

    Returns:
        The path of the model. Its input is `crops` (any n), its output `features`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    size = description.preprocessing.size
    example = torch.zeros(2, 3, size, size)
    dynamic = {0: torch.export.Dim("n")}
    if description.preprocessing.largest is not None:
        dynamic |= {2: torch.export.Dim("height"), 3: torch.export.Dim("width")}
    network = _for_export(network)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _quiet():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        program = torch.onnx.export(
            network,
            (example,),
            input_names=["crops"],
            output_names=["features"],
            dynamic_shapes=(dynamic,),
            dynamo=True,
            verbose=False,
        )
    assert program is not None  # noqa: S101 - only None for the old exporter
    partial = folder / (ENCODER_FILE + ".partial")
    program.save(partial, external_data=False)
    # The model last: a folder that has it is complete.
    description.write(folder)
    partial.replace(folder / ENCODER_FILE)
    return folder / ENCODER_FILE


def _for_export(network: nn.Module) -> nn.Module:
    """The same network in fewer steps, a copy: the exporter takes half of the time."""
    network = copy.deepcopy(network).to("cpu").eval()
    for module in network.modules():
        if isinstance(module, nn.ReLU | nn.Hardtanh):
            module.inplace = False  # what works in place is taken apart, slowly
        if isinstance(module, nn.Sequential):
            for place, (first, second) in enumerate(pairwise(list(module))):
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    module[place] = fuse_conv_bn_eval(first, second)
                    module[place + 1] = nn.Identity()
    return network


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
