"""Networks rewritten before OpenVINO compiles them: the same arithmetic in an order that costs a CPU less.

A function looks for one end that PP-OCR's networks have, and leaves any other network alone. Why and how
much is in docs/decisions/0042-networks-rewritten-for-cpus.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deployments.document import FloatArray

_AXIS_OF_CLASSES = (2, -1)
# How many pixels of the map each side of a position of the network's last features makes.
_MAP_PX = 4
_WHITE = 255.0


@dataclass(frozen=True)
class ClassifiedSteps:
    """A recogniser cut in two before its classes.

    ``body`` gives features of shape (N, T, features); their classes are ``features @ weights + bias``, with
    weights of shape (features, classes) and a bias of shape (classes,).
    """

    body: Any
    weights: FloatArray
    bias: FloatArray


def cut_classes(network: Any) -> ClassifiedSteps | None:
    """The recogniser without the layer of its classes and their softmax; None where it ends otherwise."""
    from openvino import Model
    from openvino import opset13 as ops

    softmax = _find_end(network, "Softmax")
    if softmax is None or softmax.get_attributes()["axis"] not in _AXIS_OF_CLASSES:
        return None
    added = _split_constant(_skip_identities(softmax.input_value(0)).get_node(), "Add")
    if added is None:
        return None
    product = added.data.get_node()
    weighed = _split_constant(product, "MatMul")
    if weighed is None or product.get_attributes()["transpose_a"] or weighed.constant.ndim != 2:
        return None
    weights = weighed.constant.T if product.get_attributes()["transpose_b"] else weighed.constant
    if added.constant.size != weights.shape[1]:
        return None
    body = Model([ops.result(weighed.data)], network.get_parameters(), network.get_friendly_name())
    return ClassifiedSteps(body, np.ascontiguousarray(weights), added.constant.reshape(-1))


def build_classifier(steps: ClassifiedSteps, rows: int, precision: str) -> Any:
    """A network from ``rows`` features to logits (rows, classes), in bfloat16 where that is the precision."""
    from openvino import Model, Type
    from openvino import opset13 as ops

    features = ops.parameter([rows, steps.weights.shape[0]], np.float32)
    logits = ops.add(ops.matmul(features, ops.constant(steps.weights), False, False), steps.bias)
    end = ops.convert(logits, Type.bf16) if precision == "bf16" else logits
    return Model([ops.result(end)], [features], "classifier")


def flatten_upsampling(network: Any) -> Any | None:
    """The detector with plain convolutions in place of the two transposed ones that end in its map.

    A transposed convolution of 2 x 2 pixels in steps of two makes each pixel from one position alone. Two of
    them with nothing but a ReLU between are so a small network for each position, whose sixteen results need
    only be laid out as 4 x 4 pixels. OpenVINO computes transposed convolutions in single precision, and the
    map of one channel as if it had sixteen. None where the network ends otherwise.
    """
    from openvino import Model
    from openvino import opset13 as ops

    sigmoid = _find_end(network, "Sigmoid")
    last = _match_upsampling(sigmoid.input_value(0)) if sigmoid is not None else None
    if last is None or last.weights.shape[1] != 1 or last.data.get_node().get_type_name() != "Relu":
        return None
    first = _match_upsampling(last.data.get_node().input_value(0))
    if first is None:
        return None
    middle = first.weights.shape[1]
    # A position's four pixels of the first one, row by row, each with all of its channels.
    weights = first.weights.transpose(2, 3, 1, 0).reshape(4 * middle, -1, 1, 1)
    features = ops.relu(_convolve(first.data, weights, np.tile(first.bias, 4)))
    pixels = ops.sigmoid(_convolve(features, _spread(last.weights[:, 0]), last.bias))
    end = ops.depth_to_space(pixels, "depth_first", _MAP_PX)
    return Model([ops.result(end)], network.get_parameters(), network.get_friendly_name())


def take_pixels(network: Any, mean: Sequence[float], std: Sequence[float]) -> Any:
    """The network for pages as they are, uint8 (N, H, W, 3), which it normalises by itself.

    ``mean`` and ``std`` are those of each channel's values from 0 to 1, as in `ChannelNormalizer`.
    """
    from openvino import Layout, Type
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(network)
    steps.input().tensor().set_element_type(Type.u8).set_layout(Layout("NHWC"))
    steps.input().model().set_layout(Layout("NCHW"))
    values = steps.input().preprocess().convert_element_type(Type.f32)
    values.mean([_WHITE * channel for channel in mean]).scale([_WHITE * channel for channel in std])
    return steps.build()


def _spread(weights: FloatArray) -> FloatArray:
    """Weights (channels, 2, 2) for four pixels at once: (16, 4 * channels, 1, 1), row by row of the 4 x 4."""
    channels = weights.shape[0]
    spread = np.zeros((2, 2, 2, 2, 4 * channels), np.float32)
    for row in (0, 1):
        for column in (0, 1):
            pixel = 2 * row + column
            spread[row, :, column, :, pixel * channels : (pixel + 1) * channels] = weights.transpose(1, 2, 0)
    return spread.reshape(16, 4 * channels, 1, 1)


@dataclass(frozen=True)
class _Operand:
    data: Any
    constant: FloatArray


@dataclass(frozen=True)
class _Upsampling:
    data: Any
    weights: FloatArray
    bias: FloatArray


def _match_upsampling(output: Any) -> _Upsampling | None:
    """A transposed convolution of 2 x 2 in steps of two with a bias, of which this is the output."""
    added = _split_constant(_skip_identities(output).get_node(), "Add")
    if added is None:
        return None
    node = added.data.get_node()
    convolved = _split_constant(node, "ConvolutionBackpropData")
    if convolved is None or node.get_input_size() != 2:
        return None
    attributes = node.get_attributes()
    plain = (
        list(attributes["strides"]) == [2, 2]
        and not any((*attributes["pads_begin"], *attributes["pads_end"], *attributes["output_padding"]))
        and attributes["auto_pad"] in ("explicit", "valid")
    )
    weights = convolved.constant
    if not plain or weights.shape[2:] != (2, 2) or added.constant.size != weights.shape[1]:
        return None
    return _Upsampling(convolved.data, weights, added.constant.reshape(-1))


def _convolve(data: Any, weights: FloatArray, bias: FloatArray) -> Any:
    """A convolution of one pixel."""
    from openvino import opset13 as ops

    product = ops.convolution(data, np.ascontiguousarray(weights), [1, 1], [0, 0], [0, 0], [1, 1])
    return ops.add(product, bias.reshape(1, -1, 1, 1))


def _find_end(network: Any, type_name: str) -> Any | None:
    """The node of this type whose output is the network's only one."""
    results = network.get_results()
    if len(results) != 1:
        return None
    node = _skip_identities(results[0].input_value(0)).get_node()
    return node if node.get_type_name() == type_name else None


def _split_constant(node: Any, type_name: str) -> _Operand | None:
    """Data and constant of a node of this type whose second input is a constant."""
    if node.get_type_name() != type_name:
        return None
    constant = node.input_value(1).get_node()
    # Weights kept in half precision are widened where they are used.
    if constant.get_type_name() == "Convert":
        constant = constant.input_value(0).get_node()
    if constant.get_type_name() != "Constant":
        return None
    return _Operand(_skip_identities(node.input_value(0)), np.array(constant.data, np.float32))


def _skip_identities(output: Any) -> Any:
    """What a chain of nodes that change nothing hands on."""
    while output.get_node().get_type_name() == "Identity":
        output = output.get_node().input_value(0)
    return output
