"""What the pages share: the chart of where a face stands, and how a verdict is put in words."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exiface.calibration import Judge
from exiface.detector import Judgement
from exiface.detector.folder import DetectorParts
from exiface.detector.results import SAID

PLOT = (320, 56)  # px, width and height of the bars of either kind
_BINS = 20
# Places along the plot are 1 - p ** POWER, so that one photograph in twenty takes a third of it.
POWER = 0.4
_TICKS = (2, 5, 20, 100)  # one photograph in so many looks as unusual


def standing(parts: DetectorParts, face: Judgement) -> dict[str, Any]:
    """Plot where a face stands among photographs and generated faces.

    The plot has bars of photographs, with the verdict that they get, and bars of generated faces,
    each as a share of its own (`tallest` says what its tallest bar stands for); the places of the
    marker, of the ticks and of where "AI-generated" begins; and the size of either half, in px.
    """
    width, height = PLOT
    return {
        "width": width,
        "height": height,
        "marker": _place(face.p_value),
        "flagged_from": _place(parts.judge.calibration.alpha),
        "ticks": [(_place(1 / number), f"1 in {number}") for number in _TICKS],
        **_bars(parts.judge),
    }


def distribution(judge: Judge) -> dict[str, Any]:
    """Plot the zones in which each verdict is said, from usual to unusual, without a face."""
    width, height = PLOT
    edges = [1.0, min(judge.usual_from, 1.0), judge.calibration.alpha, 0.0]
    places = [width * (1 - p_value**POWER) for p_value in edges]
    zones = [
        {
            "x": round(start, 2),
            "width": round(end - start, 2),
            "verdict": judge.verdict_at((high + low) / 2).value,
        }
        for (start, end), (high, low) in zip(pairwise(places), pairwise(edges), strict=True)
        if end > start
    ]
    return {"width": width, "height": height, "power": POWER, "zones": zones, **_bars(judge)}


@lru_cache(maxsize=8)
def _bars(judge: Judge) -> dict[str, Any]:
    """The bars, which are the same for every face; sources weigh alike, and families do."""
    width, height = PLOT
    places = np.linspace(0, 1, _BINS + 1)
    edges = (1 - places) ** (1 / POWER)  # p-values, from 1 down

    def shares(groups: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        # A p-value at an edge belongs to the bin of the more unusual.
        rows = [np.histogram(-group, -edges)[0] / len(group) for group in groups]
        return np.asarray(np.mean(rows, axis=0))

    photographs = shares(judge.calibration.p_values_of_sources())
    others = None if judge.generated is None else shares(judge.generated.by_family)
    step = width / _BINS

    def bars(values: NDArray[np.float64]) -> list[dict[str, Any]]:
        return [
            {
                "x": round(number * step, 2),
                "width": round(step - 1, 2),
                "height": round(height * float(share) / float(values.max()), 2),
                "band": judge.verdict_at(float(middle)).value,
            }
            for number, (share, middle) in enumerate(
                zip(values, (edges[:-1] + edges[1:]) / 2, strict=True)
            )
            if share
        ]

    return {
        "bars": bars(photographs),
        "generated": [] if others is None else bars(others),
        "tallest": float(photographs.max()),
        "tallest_generated": None if others is None else float(others.max()),
    }


def _place(p_value: float) -> float:
    """Where a p-value stands along the plot, in px."""
    return round(float(PLOT[0] * (1 - p_value**POWER)), 2)


def words() -> dict[str, str]:
    """Name each verdict as a heading does."""
    return {verdict.value: said[0].upper() + said[1:] for verdict, said in SAID.items()}
