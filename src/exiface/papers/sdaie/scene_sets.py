"""Test data of whole images: how their authors lay them out, and what SDAIE does to them first.

data
├── progan/  airplane/0_real  airplane/1_fake ...    SDAIE and CNNDetection: at any depth
├── Midjourney/  val/nature  val/ai                  GenImage
└── realonly/  imagenet  lsun                        photographs to fit on

Source: the layouts of SDAIE (arXiv 2512.05651) and GenImage (arXiv 2306.08571); SDAIE's released
program.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from exiface.choices import Noise
from exiface.datasets.scan import find_images
from exiface.errors import UserError
from exiface.papers.exif_ranking.celeba_sets import PublishedSets
from exiface.photos.alterations import saved

Pixels = NDArray[np.uint8]

FIT = "realonly"
# In the order of SDAIE's tables.
SDAIE_SETS = (
    *("progan", "stylegan", "biggan", "cyclegan", "stargan", "gaugan", "stylegan2"),
    *("whichfaceisreal", "ADM", "Glide", "Midjourney", "stable_diffusion_v_1_4"),
    *("stable_diffusion_v_1_5", "VQDM", "wukong", "DALLE2", "coco_sdxl_nw"),
)
_GENERATED = {"0_real": False, "nature": False, "1_fake": True, "ai": True}


def read_scene_sets(root: Path) -> PublishedSets:
    """List the files of test sets of whole images, a folder each within the root.

    Each set's generated images are compared with its own photographs. Those of SDAIE's sets that
    are not there are named, where any of them is.

    Raises:
        UserError: no set has both labels, or there is nothing to fit on.
    """
    if not root.is_dir():
        raise UserError(f"{root} is not a folder; name the folder that holds the sets")
    folders = [each for each in root.iterdir() if each.is_dir() and each.name != FIT]
    photographs: dict[str, list[Path]] = {}
    fakes: dict[str, list[Path]] = {}
    for folder in sorted(folders, key=lambda each: (_place(each.name), each)):
        labelled: dict[bool, list[Path]] = {False: [], True: []}
        for path in find_images([folder]):
            generated = _label(path, folder)
            if generated is not None:
                labelled[generated].append(path)
        if labelled[False] and labelled[True]:
            photographs[folder.name] = labelled[False]
            fakes[f"{folder.name}/generated"] = labelled[True]
    if not fakes:
        raise UserError(
            f"{root} holds no set with images of both labels; a set has folders "
            f"{', '.join(_GENERATED)} at any depth"
        )
    known = [name for name in SDAIE_SETS if name in photographs]
    missing = [name for name in SDAIE_SETS if name not in photographs] if known else []
    fit = find_images([root / FIT]) if (root / FIT).is_dir() else []
    if not fit:
        raise UserError(
            f"{root / FIT} holds no photograph; put those there that the mixture is fitted on and "
            "that calibrate (published: 5,000 of ImageNet, 5,000 of LSUN)"
        )
    against = {name: name.removesuffix("/generated") for name in fakes}
    return PublishedSets(fit, photographs, fakes, against, missing)


def _place(name: str) -> int:
    return SDAIE_SETS.index(name) if name in SDAIE_SETS else len(SDAIE_SETS)


def _label(path: Path, folder: Path) -> bool | None:
    """Whether an image is generated, by the nearest folder within its set that says so."""
    names = reversed(path.relative_to(folder).parts[:-1])
    return next((_GENERATED[name] for name in names if name in _GENERATED), None)


def _halved(pixels: Pixels) -> Pixels:
    """Half of the sides, cut to whole pixels; bilinear, antialiased."""
    height, width = (max(1, side // 2) for side in pixels.shape[:2])
    return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))


def _blurred(pixels: Pixels) -> Pixels:
    """A Gaussian of one pixel that cuts to whole numbers after each axis."""
    from scipy.ndimage import gaussian_filter  # slow to import, and seldom needed

    return np.asarray(gaussian_filter(pixels, sigma=(1.0, 1.0, 0.0)))


# What SDAIE's released program does to pictures before it tests how robust a detector is.
RELEASED_NOISES: dict[Noise, Callable[[Pixels], Pixels]] = {
    "jpg": lambda pixels: saved(pixels, "JPEG", 95),
    "resize": _halved,
    "blur": _blurred,
}
