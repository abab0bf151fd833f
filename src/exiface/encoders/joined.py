"""Two encoders in one: both look at a face, and their features stand side by side.

What one network has learnt another one doesn't know; evidence of both can then be combined (see
`exiface.scoring.evidence`). The crop is cut once, by the first encoder's preprocessing; inside the
model it is brought to the second one's size.
"""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import compose, helper, numpy_helper
from safetensors.numpy import save_file

from exiface.encoders.description import (
    CLASSIFIER_FILE,
    ENCODER_FILE,
    HEADS_FILE,
    SEEN_FILE,
    EncoderDescription,
    EncoderError,
)
from exiface.encoders.runtime import read_encoder, read_heads, seen_by_encoder

_INPUT, _OUTPUT, _RESIZED = "crops", "features", "resized"
_PREFIXES = ("first_", "second_")
_STORED_WHOLE = 1024  # tensors of fewer numbers keep all their digits


def join(first: Path, second: Path, folder: Path) -> Path:
    """Write an encoder whose features are those of a first one, then those of a second one.

    Weights are stored as float16, half of the size; arithmetic stays float32.

    Args:
        first: encoder folder whose preprocessing cuts the crops.
        second: encoder folder; where both have a head of the same name, the second one's is kept.
        folder: where to; made if need be.

    Returns:
        The path of the model.

    Raises:
        EncoderError: an encoder is missing, or they normalise or frame faces differently.
    """
    models, descriptions = zip(*(read_encoder(each) for each in (first, second)), strict=True)
    description = _described(*descriptions)
    model = _joined([onnx.load_from_string(each) for each in models], descriptions[1])
    folder.mkdir(parents=True, exist_ok=True)
    save_file(_heads(first, second, descriptions), folder / HEADS_FILE)
    # Of another encoder that was here before; what is joined has no one head that scores.
    (folder / CLASSIFIER_FILE).unlink(missing_ok=True)
    seen = seen_by_encoder(first) | seen_by_encoder(second)
    (folder / SEEN_FILE).write_text("".join(f"{line}\n" for line in sorted(seen)), "utf-8")
    description.write(folder)
    (folder / ENCODER_FILE).write_bytes(model.SerializeToString())
    return folder / ENCODER_FILE


def _described(first: EncoderDescription, second: EncoderDescription) -> EncoderDescription:
    ours, theirs = first.preprocessing, second.preprocessing
    if (ours.crop_scale, ours.mean, ours.std) != (theirs.crop_scale, theirs.mean, theirs.std):
        raise EncoderError(
            "both encoders must cut and normalise faces alike (crop_scale, mean, std); train the "
            f"second with crop_scale={ours.crop_scale:g}"
        )
    return EncoderDescription(
        f"{first.architecture} + {second.architecture}",
        first.features + second.features,
        ours,
        first.provenance
        | {
            "joined": {
                "architecture": second.architecture,
                "features": second.features,
                **second.provenance,
            }
        },
    )


def _joined(models: list[onnx.ModelProto], second: EncoderDescription) -> onnx.ModelProto:
    if models[0].opset_import != models[1].opset_import:
        raise EncoderError("the encoders were exported by different versions; export both again")
    crops = onnx.ValueInfoProto()
    crops.CopyFrom(models[0].graph.input[0])
    size = second.preprocessing.size
    whole = second.preprocessing.largest is None
    parts = [
        compose.add_prefix(model, prefix).graph
        for model, prefix in zip(models, _PREFIXES, strict=True)
    ]
    inputs = [_INPUT, _RESIZED if whole else _INPUT]
    nodes = []
    for graph, name in zip(parts, inputs, strict=True):
        given = graph.input[0].name
        for node in graph.node:
            node.input[:] = [name if each == given else each for each in node.input]
    if whole:
        # Linear, antialiased, by pixel areas: what Pillow's bilinear filter does to a crop.
        nodes.append(
            helper.make_node(
                "Resize",
                [_INPUT, "", "", "size"],
                [_RESIZED],
                mode="linear",
                antialias=1,
                axes=[2, 3],
                coordinate_transformation_mode="half_pixel",
            )
        )
    outputs = [graph.output[0].name for graph in parts]
    joint = helper.make_node("Concat", outputs, [_OUTPUT], axis=1)
    length = sum(graph.output[0].type.tensor_type.shape.dim[1].dim_value for graph in parts)
    graph = helper.make_graph(
        [*nodes, *parts[0].node, *parts[1].node, joint],
        "joined",
        [helper.make_tensor_value_info(_INPUT, onnx.TensorProto.FLOAT, _dimensions(crops))],
        [helper.make_tensor_value_info(_OUTPUT, onnx.TensorProto.FLOAT, ["n", length])],
        [numpy_helper.from_array(np.array([size, size], np.int64), "size")]
        + [each for graph in parts for each in graph.initializer],
    )
    model = helper.make_model(
        graph, opset_imports=models[0].opset_import, ir_version=models[0].ir_version
    )
    _store_halved(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def _dimensions(value: onnx.ValueInfoProto) -> list[str | int]:
    return [each.dim_param or each.dim_value for each in value.type.tensor_type.shape.dim]


def _store_halved(model: onnx.ModelProto) -> None:
    """Keep large weights as float16, each with a cast that the runtime does once, as it loads."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < _STORED_WHOLE:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT))
    for number, cast in enumerate(casts):
        model.graph.node.insert(number, cast)


def _heads(
    first: Path, second: Path, descriptions: tuple[EncoderDescription, ...]
) -> dict[str, NDArray[np.float32]]:
    """The heads of both over the features of both."""
    lengths = [each.features for each in descriptions]
    heads: dict[str, NDArray[np.float32]] = {}
    for folder, pads in ((first, (0, lengths[1])), (second, (lengths[0], 0))):
        heads |= {name: np.pad(weights, pads) for name, weights in read_heads(folder).items()}
    return heads
