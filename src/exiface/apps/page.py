"""The self-contained HTML page of `exiface detect --html`."""

import base64
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader
from jinja2.environment import TemplateStream
from PIL import Image

from exiface import __version__
from exiface.density import Calibration
from exiface.density.calibration import SMALL_SIDE
from exiface.detector import Detector, FaceResult, ImageResult
from exiface.photos import UnreadableImageError, read_photo
from exiface.photos.images import ImageSource

_LONGEST_SIDE = 720  # px of a picture on the page
_BINS = 36
PLOT = (320, 84)  # px, of the bars
# Bars span the middle of the calibration scores; single outliers would squeeze the rest.
_QUANTILES = (0.005, 0.98)


def write_page(results: Sequence[ImageResult], detector: Detector, path: Path) -> None:
    """Write a page that shows each image with its faces, verdicts and where they stand.

    Args:
        results: what was said of each image; pictures are read from their paths again.
        detector: that said it.
        path: of the HTML file; it loads nothing from elsewhere.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = _stream(results, detector, (result.path for result in results))
    stream.dump(str(path), encoding="utf-8", errors="replace")


def page(results: Sequence[ImageResult], detector: Detector, sources: Sequence[bytes]) -> str:
    """The same page as text, of images (the bytes of their files) that lie nowhere."""
    return "".join(_stream(results, detector, sources))


def _stream(
    results: Sequence[ImageResult], detector: Detector, sources: Iterable[ImageSource | None]
) -> TemplateStream:
    calibration = detector.parts.calibration
    environment = Environment(
        loader=PackageLoader("exiface.apps"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    counts = Counter(face.verdict.value for result in results for face in result.faces)
    counts["no verdict"] = sum(result.reason is not None for result in results)
    images = (
        {
            "result": result,
            "picture": _picture(result, source),
            "faces": [
                {"face": face, "plot": histogram(calibration, face)} for face in result.faces
            ],
        }
        for result, source in zip(results, sources, strict=True)
    )
    return environment.get_template("detect.html").stream(
        images=images,
        counts=counts,
        number=len(results),
        calibration=calibration,
        detector=detector,
        version=__version__,
    )


def histogram(calibration: Calibration, face: FaceResult) -> dict[str, Any]:
    """Geometry of the plot that puts a face among the calibration photographs.

    Args:
        calibration: scores of photographs and the bands of the verdict.
        face: whose score is marked.

    Returns:
        Bars with the band they fall into, the marker's place, and the size, in px.
    """
    width, height = PLOT
    low, high, bars = standing_bars(calibration.compared_with(face.side))
    place = (face.score - low) / (high - low)
    return {
        "width": width,
        "height": height,
        "bars": bars,
        "marker": round(width * min(max(place, 0.006), 0.994), 2),
        "beyond": "right" if place > 1 else "left" if place < 0 else "",
    }


def distributions(calibration: Calibration) -> list[dict[str, Any]]:
    """The plots' geometry without a face, and for crops above which side in pixels each is."""
    found = []
    for above in [0] if calibration.sides is None else [0, SMALL_SIDE]:
        low, high, bars = standing_bars(calibration.compared_with(above + 1))
        width, height = PLOT
        ends = {"low": low, "high": high, "width": width, "height": height}
        found.append({"above_side": above, "bars": bars} | ends)
    return found


@lru_cache(maxsize=8)
def standing_bars(calibration: Calibration) -> tuple[float, float, list[dict[str, Any]]]:
    """The span of scores drawn, and the bars, which are the same for every face."""
    width, height = PLOT
    low, high = np.quantile(calibration.scores, _QUANTILES)
    margin = (high - low) * 0.12 or 1.0
    low, high = low - margin, high + margin
    counts, edges = np.histogram(
        np.clip(calibration.scores, low, high), bins=_BINS, range=(low, high)
    )
    step = width / _BINS
    bars = [
        {
            "x": round(number * step, 2),
            "width": round(step - 1, 2),
            "height": round(height * count / counts.max(), 2),
            "band": calibration.verdict(float(calibration.p_value(middle))).value,
        }
        for number, (count, middle) in enumerate(
            zip(counts, (edges[:-1] + edges[1:]) / 2, strict=True)
        )
        if count
    ]
    return float(low), float(high), bars


def _picture(result: ImageResult, source: ImageSource | None) -> str | None:
    """The image, small, as a data URI."""
    if source is None or not result.size[0]:
        return None
    try:
        image = Image.fromarray(read_photo(source).pixels)
    except UnreadableImageError:  # gone since it was judged
        return None
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    content = io.BytesIO()
    image.save(content, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
