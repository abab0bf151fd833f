"""The self-contained HTML page of `exiface explain -o`."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from exiface import __version__
from exiface.apps.page import standing, words
from exiface.detector import Detector
from exiface.detector.cross_check import TagCheck
from exiface.detector.explanation import Explanation
from exiface.detector.folder import DetectorParts
from exiface.html import data_uri, template
from exiface.photos import TAG_TITLES, CameraTags

_PICTURE_SIDE = 512  # px on the page
_DARKEST = 0.22
_OUTLINE = 0.5  # of the strongest pull
_SIGNS = {
    "symmetry": "symmetry",
    "smoothing": "traces of smoothing",
    "averaging": "traces of averaging with other faces",
    "manipulation": "traces of manipulation",
    "generated": "likeness to generated faces seen in training",
}


def write_explanation(explanation: Explanation, detector: Detector, path: Path) -> None:
    """Write a page that says why a face, or a whole image, got its verdict; it stands alone."""
    parts = parts_of(explanation, detector)
    text = template("exiface.apps", "explain.html").render(
        told=told(explanation),
        plot=standing(parts, explanation.judged),
        words=words(),
        detector=detector,
        parts=parts,
        version=__version__,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", errors="replace")


def told(explanation: Explanation) -> dict[str, Any]:
    """Tell what `why.html` shows of an explanation: pictures as URIs, and sentences."""
    shares = [explanation.judged.sentence]
    if explanation.known_ratio:
        shares.append(explanation.known_ratio.sentence)
    return {
        "explanation": explanation,
        "what": explanation.what,
        "face": explanation.judged,
        "shares": " ".join(shares),
        "crop": data_uri(enlarged(explanation.crop)),
        "spotlight": data_uri(spotlight(explanation.crop, explanation.regions)),
        "pull": float(explanation.regions.max()),
        "signs": [f"{sign_sentence(*sign)}." for sign in explanation.signs.items()],
        "checks": [tag_sentence(check, explanation.what) for check in explanation.tag_checks],
    }


def parts_of(explanation: Explanation, detector: Detector) -> DetectorParts:
    """Find the parts of the detector that gave the verdict, on a face or on the whole image."""
    if explanation.number is None and detector.whole is not None:
        return detector.whole.parts
    return detector.parts


def sign_sentence(head: str, rank: float) -> str:
    """Say in words how strongly a face shows the sign of a head (see `Explanation.signs`).

    Example:
        >>> sign_sentence("-iso_speed", 0.914)
        'look of a low ISO speed: more than in 91 % of known photographs'
    """
    name = head.removeprefix("-")
    title = _SIGNS.get(name, name)
    if name in TAG_TITLES:
        title = f"look of a {'low' if head.startswith('-') else 'high'} {TAG_TITLES[name]}"
    share = min(max(round(rank * 100), 1), 99)  # no sign is stronger than in all of them
    return f"{title}: more than in {share} % of known photographs"


def tag_sentence(check: TagCheck, what: str = "face") -> str:
    """Say in words what is expected of a tag, what is claimed, and whether that is odd.

    Example:
        >>> tag_sentence(TagCheck("iso_speed", 0.8))
        'ISO speed: judged by the look of the face, higher than in 80 % of known photographs; \
the file records none.'
    """
    place = _place(check.expected_rank)
    looks = f"{TAG_TITLES[check.tag]}: judged by the look of the {what}, {place}"
    if check.recorded is None:
        return f"{looks}; the file records none."
    claim = f"the file records {CameraTags.of({check.tag: check.recorded})}"
    if check.recorded_rank is None or check.p_value is None:
        return f"{looks}; {claim}; too few known photographs have this tag to compare."
    claim += f", {_place(check.recorded_rank)}"
    apart = "That is no further apart than usual."
    if check.disagrees:
        share = f"{check.p_value * 100:.1f} %"
        apart = f"They disagree more than for all but {share} of known photographs."
    return f"{looks}; {claim}. {apart}"


def spotlight(crop: NDArray[np.uint8], regions: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Light up the regions (h, w) that pull the likelihood of a crop (h, w, 3) down.

    Brightness, not hue, carries the map: it is read in grey and by colour-blind people alike.
    """
    size = _enlarged_size(crop)
    strongest = max(float(regions.max()), 1e-9)
    light = np.clip(cv2.resize(regions, size, interpolation=cv2.INTER_LINEAR) / strongest, 0, 1)
    lit = enlarged(crop) * (_DARKEST + (1 - _DARKEST) * light[..., None])
    picture = np.rint(lit).astype(np.uint8)
    mask = (light >= _OUTLINE).astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(picture, outlines, -1, (255, 255, 255), 2), np.uint8)


def enlarged(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize a crop (h, w, 3) to the size that the page shows."""
    return np.asarray(
        cv2.resize(crop, _enlarged_size(crop), interpolation=cv2.INTER_CUBIC), np.uint8
    )


def _enlarged_size(crop: NDArray[np.uint8]) -> tuple[int, int]:
    height, width = crop.shape[:2]
    factor = _PICTURE_SIDE / max(height, width)
    return max(1, round(width * factor)), max(1, round(height * factor))


def _place(rank: float) -> str:
    side, share = ("higher", rank) if rank >= 0.5 else ("lower", 1 - rank)
    return f"{side} than in {share * 100:.0f} % of known photographs"
