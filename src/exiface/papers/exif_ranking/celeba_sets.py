"""The published test data as their authors lay them out: photographs of CelebA, sets of fakes.

data
├── celeba-face/  train.txt  test.txt          a path a line; the lists may lie inside celeba-face/
└── stylegan2/ VQ-GAN_celebahq/ LDM/ ...       images at any depth; BLADES' names serve as well

Source: the data's own layout, as Zou et al. (arXiv 2501.02207, 2507.22824) publish it.
"""

from dataclasses import dataclass
from pathlib import Path

from exiface.choices import FacesLayout
from exiface.datasets.scan import find_images
from exiface.errors import UserError

PHOTOGRAPHS = "celeba-face"
CELEBA = "CelebA"
# Generator -> names of its folder: first those of EXIF ranking, then those of BLADES.
GENERATORS: dict[str, tuple[str, ...]] = {
    "StyleGAN2": ("stylegan2",),
    "VQGAN": ("VQ-GAN_celebahq", "vqgan"),
    "LDM": ("LDM", "ldm"),
    "DDIM": ("DDIM", "ddim"),
    "SD 2.1": ("stable_diffusion_v_2_1_text2img_p2g3", "sdv21"),
    "FreeDoM": ("FreeDoM_T", "freeDoM"),
    "HPS": ("HPS", "hps"),
    "Midjourney": ("Midjourney", "midjourney"),
    "SDXL": ("SDXL", "sdxl"),
}
_MORE_OF_BLADES: dict[str, tuple[str, ...]] = {
    "ProGAN": ("progan",),
    "StarGAN": ("stargan",),
    "PiGAN": ("pigan",),
}


@dataclass(frozen=True, slots=True)
class PublishedSets:
    """The files of a test layout."""

    fit: list[Path]  #: photographs to fit on; of a list, in its order.
    photographs: dict[str, list[Path]]  #: name of a set of photographs to test on -> its files.
    fakes: dict[str, list[Path]]  #: generator -> its images, sorted.
    against: dict[str, str]  #: generator -> the set of photographs that it is compared with.
    missing: list[str]  #: generators without a folder, or without an image in it.


def read_published_sets(root: Path, layout: FacesLayout = "nine") -> PublishedSets:
    """List the files of the published test data.

    Args:
        root: the folder `data`.
        layout: "nine" generators, or the "twelve" of BLADES; folders may have either's names.

    Raises:
        UserError: a list of photographs is missing or leads to no file, or no generator is there.
    """
    if not root.is_dir():
        raise UserError(f"{root} is not a folder; name the folder that holds {PHOTOGRAPHS}/")
    wanted = GENERATORS | (_MORE_OF_BLADES if layout == "twelve" else {})
    fakes = {}
    for generator, names in wanted.items():
        folders = [root / name for name in names if (root / name).is_dir()]
        if images := find_images(folders[:1]):
            fakes[generator] = images
    if not fakes:
        known = ", ".join(names[0] for names in wanted.values())
        raise UserError(f"{root} holds images of no generator; folders are called {known}")
    test = {CELEBA: _listed(root, "test.txt")}
    against = dict.fromkeys(fakes, CELEBA)
    missing = [generator for generator in wanted if generator not in fakes]
    return PublishedSets(_listed(root, "train.txt"), test, fakes, against, missing)


def _listed(root: Path, name: str) -> list[Path]:
    """The files of a list, wherever it lies and whatever its paths start from."""
    places = [root / name, root / PHOTOGRAPHS / name]
    source = next((place for place in places if place.is_file()), None)
    if source is None:
        raise UserError(
            f"{places[0]} is missing (and {places[1]}): the list of photographs, a path a line"
        )
    lines = source.read_text("utf-8").splitlines()
    found = [_found(line.strip(), root, source) for line in lines if line.strip()]
    if not found:
        raise UserError(f"{source} is empty; it must list photographs, a path a line")
    return found


def _found(line: str, root: Path, source: Path) -> Path:
    """The file that a line names; lists are often written on another machine."""
    path = Path(line)
    # An absolute path stays as it is; data/celeba-face/000001.jpg starts beside the root.
    folders = (root, root.parent, root / PHOTOGRAPHS)
    candidates = [*(folder / path for folder in folders), root / PHOTOGRAPHS / path.name]
    if (found := next(filter(Path.is_file, candidates), None)) is not None:
        return found
    tried = ", ".join(map(str, dict.fromkeys(candidates)))
    raise UserError(
        f"{source}: {line} leads to no file (tried {tried}); unpack the photographs there"
    )
