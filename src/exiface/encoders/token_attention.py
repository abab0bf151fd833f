"""Attention over the tokens of an image's patches, without torch, in memory that stays flat.

The twin of `papers.sdaie.network.Attention`: tokens ask a few at a time, so that the table of who
attends to whom, which grows with the square of the patches, is never held as a whole.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

LAYERS, HEADS = 2, 4
_AT_ONCE = 256  # tokens that ask; with 20,000 patches 80 MB
_EPSILON = 1e-5


def attend(tokens: Floats, weights: Mapping[str, Floats]) -> Floats:
    """Let tokens (n, d) attend to one another, and work on each: (n, d).

    The weights are of `papers.sdaie.network.Attention`, by the names of its state dictionary.
    """
    for layer in range(LAYERS):
        for part, function in enumerate((_attention, _perceptron)):
            own = f"layers.{layer}.{part}."
            of_part = {
                name.removeprefix(own): value
                for name, value in weights.items()
                if name.startswith(own)
            }
            tokens = tokens + function(_normalised(tokens, of_part), of_part)
    return tokens


def _normalised(tokens: Floats, weights: Mapping[str, Floats]) -> Floats:
    centred = tokens - tokens.mean(1, keepdims=True)
    variance = np.square(centred).mean(1, keepdims=True)
    scaled: Floats = centred / np.sqrt(variance + np.float32(_EPSILON))
    return scaled * weights["norm.weight"] + weights["norm.bias"]


def _attention(tokens: Floats, weights: Mapping[str, Floats]) -> Floats:
    # (3, heads, n, length of a head)
    asked = (tokens @ weights["fn.to_qkv.weight"].T).reshape(len(tokens), 3, HEADS, -1)
    query, key, value = asked.transpose(1, 2, 0, 3)
    query = query * np.float32(query.shape[-1] ** -0.5)
    gathered = np.empty_like(tokens, shape=(len(tokens), HEADS * query.shape[-1]))
    for start in range(0, len(tokens), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        shares = query[:, part] @ key.transpose(0, 2, 1)
        shares -= shares.max(2, keepdims=True)
        np.exp(shares, out=shares)
        shares /= shares.sum(2, keepdims=True)
        gathered[part] = (shares @ value).transpose(1, 0, 2).reshape(shares.shape[1], -1)
    return gathered @ weights["fn.to_out.0.weight"].T + weights["fn.to_out.0.bias"]


def _perceptron(tokens: Floats, weights: Mapping[str, Floats]) -> Floats:
    from scipy.special import erf  # slow to import, and needed for whole images alone

    hidden = tokens @ weights["fn.net.0.weight"].T + weights["fn.net.0.bias"]
    hidden = hidden * (1 + erf(hidden * np.float32(0.5**0.5))) / 2  # exact GELU
    worked: Floats = hidden @ weights["fn.net.3.weight"].T + weights["fn.net.3.bias"]
    return worked
