"""The self-contained HTML page of `exiface detect --html`."""

import base64
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader
from jinja2.environment import TemplateStream
from numpy.typing import NDArray
from PIL import Image

from exiface import __version__
from exiface.calibration import Judge
from exiface.detector import Detector, ImageResult, Judgement
from exiface.detector.folder import DetectorParts
from exiface.detector.results import SAID
from exiface.photos import UnreadableImageError, read_photo

_LONGEST_SIDE = 720  # px of a picture on the page
PLOT = (320, 56)  # px, width and height of the bars of either kind
_BINS = 20
# Places along the plot are 1 - p ** POWER, so that one photograph in twenty takes a third of it.
POWER = 0.4


def write_page(
    results: Sequence[ImageResult], detector: Detector, path: Path, *, pictures: bool = True
) -> None:
    """Write a page that shows each image with its faces, verdicts and where they stand.

    Args:
        results: what was said of each image; files are read from their paths again.
        detector: that said it.
        path: of the HTML file; it loads nothing from elsewhere.
        pictures: the page shows the images; without them it can be passed on where they can't, and
            the files' SHA-256 tells which were judged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = _stream(results, detector, (result.path for result in results), pictures)
    stream.dump(str(path), encoding="utf-8", errors="replace")


def page(
    results: Sequence[ImageResult], detector: Detector, sources: Sequence[bytes], *, pictures: bool
) -> str:
    """The same page as text, of images (the bytes of their files) that lie nowhere."""
    return "".join(_stream(results, detector, sources, pictures))


def _stream(
    results: Sequence[ImageResult],
    detector: Detector,
    sources: Iterable[str | bytes | None],
    pictures: bool,
) -> TemplateStream:
    parts = detector.parts
    environment = Environment(
        loader=PackageLoader("exiface.apps"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    counts = Counter(each.verdict.value for result in results for each in result.judged)
    counts["no verdict"] = sum(result.reason is not None for result in results)
    images = (
        {
            "result": result,
            "picture": _picture(result, source) if pictures else None,
            "digest": _digest(source),
            "faces": [
                {"face": face, "plot": standing(parts, face), "shares": shares_sentence(face)}
                for face in result.faces
            ],
            "whole": None
            if result.image is None or detector.whole is None
            else {
                "face": result.image,
                "plot": standing(detector.whole.parts, result.image),
                "shares": shares_sentence(result.image),
            },
        }
        for result, source in zip(results, sources, strict=True)
    )
    return environment.get_template("detect.html").stream(
        images=images,
        counts=counts,
        number=len(results),
        calibration=parts.calibration,
        words=words(),
        detector=detector,
        notices=detector.notices(results),
        version=__version__,
    )


def standing(parts: DetectorParts, face: Judgement) -> dict[str, Any]:
    """Geometry of the plot that puts a face among photographs and generated faces.

    Args:
        parts: of the detector.
        face: whose p-value is marked.

    Returns:
        Bars of photographs with the verdict that they get, bars of generated faces, the marker's
        place, and the size of either half, in px.
    """
    width, height = PLOT
    return {
        "width": width,
        "height": height,
        "marker": round(width * (1 - face.p_value**POWER), 2),
        **_bars(parts.judge),
    }


def distributions(parts: DetectorParts) -> list[dict[str, Any]]:
    """The plot's geometry without a face."""
    width, height = PLOT
    size = {"width": width, "height": height, "power": POWER}
    return [size | _bars(parts.judge)]


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
    tallest = max(photographs.max(), 0 if others is None else others.max())
    step = width / _BINS

    def bars(values: NDArray[np.float64]) -> list[dict[str, Any]]:
        return [
            {
                "x": round(number * step, 2),
                "width": round(step - 1, 2),
                "height": round(height * float(share) / float(tallest), 2),
                "band": judge.verdict_at(float(middle)).value,
            }
            for number, (share, middle) in enumerate(
                zip(values, (edges[:-1] + edges[1:]) / 2, strict=True)
            )
            if share
        ]

    return {"bars": bars(photographs), "generated": [] if others is None else bars(others)}


def shares_sentence(judged: Judgement) -> str:
    """Say what is promised of such a p-value, and how strongly the score speaks.

    Example:
        >>> from exiface.calibration import Verdict
        >>> shares_sentence(Judgement((0, 0, 9, 9), 1.0, 0.02, Verdict.AI_GENERATED))
        '1 in 50 photographs looks this unusual.'
    """
    return judged.sentence


def words() -> dict[str, str]:
    """Verdicts as a heading has them."""
    return {verdict.value: said[0].upper() + said[1:] for verdict, said in SAID.items()}


def _digest(source: str | bytes | None) -> str | None:
    """SHA-256 of an image's file, which says what was judged where no picture does."""
    if source is None or isinstance(source, bytes):
        return None if source is None else hashlib.sha256(source).hexdigest()
    try:
        with Path(source).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _picture(result: ImageResult, source: str | bytes | None) -> str | None:
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
