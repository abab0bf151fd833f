"""Thirty fixed high-pass filters, whose residuals hold what a camera leaves and a scene doesn't.

Source: Fridrich and Kodovsky, Rich models for steganalysis of digital images (2012), as the
released program of SDAIE (arXiv 2512.05651) has them.
"""

import numpy as np
from numpy.typing import NDArray

NUMBER, SIDE = 30, 5  # filters, and the side of each in pixels
# Directions (y down, x right), clockwise from the north-west.
_CLOCKWISE = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
# The first-order filters go row by row, and the second-order ones through half of the directions.
_BY_ROWS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))
_OPPOSITE = ((-1, -1), (-1, 0), (-1, 1), (0, -1))
_EDGE_3 = ((-1, 2, -1), (2, -4, 2), (0, 0, 0))
_EDGE_5 = (
    (-1, 2, -2, 2, -1),
    (2, -6, 8, -6, 2),
    (-2, 8, -12, 8, -2),
    (0, 0, 0, 0, 0),
    (0, 0, 0, 0, 0),
)
_SQUARE_3 = ((-1, 2, -1), (2, -4, 2), (-1, 2, -1))
_SQUARE_5 = (*_EDGE_5[:3], _EDGE_5[1], _EDGE_5[0])


def filters() -> NDArray[np.float32]:
    """Make the filters (30, 5, 5), to be correlated with each channel of an image.

    0-7: differences to a neighbour; 8-11: second differences; 12-19: third differences; 20-23 and
    24-27: edges, 3 x 3 and 5 x 5, in four turns; 28 and 29: squares. Each is divided by the largest
    number that it holds.
    """
    made = [_along(direction, {1: 1, 0: -1}) for direction in _BY_ROWS]
    made += [_along(direction, {1: 1, 0: -2, -1: 1}) / 2 for direction in _OPPOSITE]
    made += [_along(direction, {2: -1, 1: 3, 0: -3, -1: 1}) / 3 for direction in _CLOCKWISE]
    for edge, most in ((_EDGE_3, 4), (_EDGE_5, 12)):
        made += [np.rot90(_centred(edge), -turns) / most for turns in range(4)]
    made += [_centred(_SQUARE_3) / 4, _centred(_SQUARE_5) / 12]
    return np.stack(made).astype(np.float32)


def _along(direction: tuple[int, int], values: dict[int, int]) -> NDArray[np.float64]:
    """Values at so many steps from the centre in a direction."""
    kernel = np.zeros((SIDE, SIDE))
    for steps, value in values.items():
        kernel[SIDE // 2 + steps * direction[0], SIDE // 2 + steps * direction[1]] = value
    return kernel


def _centred(values: tuple[tuple[int, ...], ...]) -> NDArray[np.float64]:
    kernel = np.asarray(values, float)
    return np.pad(kernel, (SIDE - len(kernel)) // 2)
