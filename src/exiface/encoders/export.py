"""From a trained network to `encoder.onnx`."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

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
    network = network.to("cpu").eval()
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


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
