"""Leak audit: what tells two sets apart without looking at a face, and whether scores follow it.

A detector can win a benchmark by reading compression, size or sharpness. Where such a cue separates
the classes, a good figure proves little; where the scores of photographs rise and fall with it, the
detector does read it.
"""

import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from exiface.photos import UnreadableImageError, read_photo
from exiface.photos.quality import jpeg_quality
from exiface.photos.tags import read_exif
from exiface.threads import ordered_map

SUSPICIOUS = 0.7
FOLLOWED = 0.3
_SUBSAMPLING = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
_SHARPNESS_SIDE = 256  # px: sharpness is compared at one size


@dataclass(frozen=True, slots=True)
class Traits:
    """What a file is, apart from what it shows."""

    file_format: str  #: as Pillow names it.
    width: int  #: in pixels.
    height: int  #: in pixels.
    quality: int | None  #: of JPEG, estimated from the luminance table; None for other formats.
    subsampling: str  #: of JPEG's chroma; "" for other formats.
    exif: bool  #: whether there is any.
    bytes_per_pixel: float  #: size of the file by pixels.
    brightness: float  #: mean grey level, 0 to 255.
    saturation: float  #: mean difference of the largest and smallest channel, 0 to 255.
    sharpness: float  #: logarithm of the variance of the Laplacian, longest side at most 256 px.


CUES: dict[str, Callable[[Traits], float]] = {
    "sharpness": lambda traits: traits.sharpness,
    "bytes per pixel": lambda traits: traits.bytes_per_pixel,
    "brightness": lambda traits: traits.brightness,
    "saturation": lambda traits: traits.saturation,
    "pixels": lambda traits: traits.width * traits.height,
    # A lossless file stands above every JPEG.
    "JPEG quality": lambda traits: 101 if traits.quality is None else traits.quality,
}
# Cues whose single values say more than their median.
_COUNTED: dict[str, Callable[[Traits], str]] = {
    "pixels": lambda traits: f"{traits.width} x {traits.height}",
    "JPEG quality": lambda traits: "lossless" if traits.quality is None else f"q{traits.quality}",
}
FORMS: dict[str, Callable[[Traits], str]] = {
    "format": lambda traits: traits.file_format,
    "chroma subsampling": lambda traits: traits.subsampling or "none",
    "EXIF": lambda traits: "present" if traits.exif else "absent",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """How well one trait separates a set of generated faces from its photographs."""

    fake: str  #: name of the set.
    against: str  #: photographs that it is compared with.
    trait: str  #: name in `CUES` or `FORMS`.
    #: of a cue, its AUC or 1 - AUC, whichever is larger; of a form, the share of balanced guesses
    #: that are right. 0.5 = no separation.
    separation: float
    detail: str  #: medians of a cue, or the commonest values and their counts, photographs first.

    @property
    def suspicious(self) -> bool:
        """Whether the trait separates the classes too well for other figures to be trusted."""
        return self.separation >= SUSPICIOUS


@dataclass(frozen=True, slots=True)
class Reliance:
    """How far the scores of a set of photographs follow one cue."""

    name: str  #: of the set.
    trait: str  #: name in `CUES`.
    images: int  #: with a score.
    #: Spearman's, of score and cue; above 0, photographs with more of it look more generated.
    correlation: float

    @property
    def suspicious(self) -> bool:
        """Whether the detector seems to read the cue."""
        return abs(self.correlation) > FOLLOWED


def read_traits(content: bytes, pixels: NDArray[np.uint8]) -> Traits:
    """Read the traits of a file from its bytes and from the pixels (h, w, 3) that they hold."""
    height, width = pixels.shape[:2]
    quality, subsampling = None, ""
    with Image.open(io.BytesIO(content)) as image:
        file_format, has_exif = image.format or "unknown", bool(read_exif(image))
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            quality = jpeg_quality(image.quantization)
            subsampling = _SUBSAMPLING.get(JpegImagePlugin.get_sampling(image), "other")
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    scale = min(1.0, _SHARPNESS_SIDE / max(height, width))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return Traits(
        file_format=file_format,
        width=width,
        height=height,
        quality=quality,
        subsampling=subsampling,
        exif=has_exif,
        bytes_per_pixel=len(content) / (width * height),
        brightness=float(grey.mean()),
        saturation=float((pixels.max(axis=2).astype(np.int16) - pixels.min(axis=2)).mean()),
        sharpness=float(np.log(cv2.Laplacian(small, cv2.CV_64F).var() + 1e-3)),
    )


def traits_of(paths: Sequence[Path]) -> list[Traits]:
    """Read the traits of those files that can be read, in threads."""

    def read(path: Path) -> Traits | None:
        content = path.read_bytes()
        try:
            return read_traits(content, read_photo(content).pixels)
        except UnreadableImageError:
            return None

    return [traits for traits in ordered_map(read, paths) if traits is not None]


def audit(
    fake: str, against: str, real_traits: Sequence[Traits], fake_traits: Sequence[Traits]
) -> list[Finding]:
    """Measure how well each trait alone separates generated faces from photographs; cues first.

    `fake` and `against` are the names of the generated faces and of the photographs.
    """
    findings = []
    labels = np.repeat([0, 1], [len(real_traits), len(fake_traits)])
    for trait, cue in CUES.items():
        real, generated = [cue(each) for each in real_traits], [cue(each) for each in fake_traits]
        auc = float(roc_auc_score(labels, real + generated))
        detail = f"median {_plain(np.median(real))} against {_plain(np.median(generated))}"
        if trait in _COUNTED:
            detail = _beside(_COUNTED[trait], real_traits, fake_traits)
        findings.append(Finding(fake, against, trait, max(auc, 1 - auc), detail))
    for trait, form in FORMS.items():
        shares = [
            {value: count / len(traits) for value, count in Counter(map(form, traits)).items()}
            for traits in (real_traits, fake_traits)
        ]
        # Half of 1 + the total variation distance: guess whichever class has more of a value.
        values = {value for share in shares for value in share}
        right = sum(max(share.get(value, 0) for share in shares) for value in values)
        detail = _beside(form, real_traits, fake_traits)
        findings.append(Finding(fake, against, trait, right / 2, detail))
    return findings


def reliance(name: str, scores: NDArray[np.float64], traits: Sequence[Traits]) -> list[Reliance]:
    """Measure how far the scores (n,) of photographs follow each cue; NaN = no verdict.

    A cue that is the same in all of them has no row, nor has any where fewer than three are judged.
    """
    judged = np.isfinite(scores)
    rows = []
    for trait, cue in CUES.items():
        values = np.array([cue(each) for each in traits], float)[judged]
        if len(values) >= 3 and np.ptp(values) > 0 and np.ptp(scores[judged]) > 0:
            correlation = float(spearmanr(scores[judged], values).statistic)
            rows.append(Reliance(name, trait, len(values), correlation))
    return rows


def _plain(value: np.floating[Any]) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _beside(form: Callable[[Traits], str], *classes: Sequence[Traits]) -> str:
    """The commonest values of a trait and how often they occur, for either class."""
    counted = [Counter(map(form, each)) for each in classes]
    return " against ".join(
        ", ".join(f"{count} {value}" for value, count in each.most_common(3))
        + (" and others" if len(each) > 3 else "")
        for each in counted
    )
