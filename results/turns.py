"""What each turn of leave-one-out leaves out of training, and what it tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exiface.datasets import Manifest


@dataclass(frozen=True)
class Turn:
    """What one training leaves out, and what is measured against what.

    Attributes:
        name: of the turn.
        left_out: patterns of sources: generators with their near relatives, photographs.
        tested: family -> generated source -> the photographs that it is told from, at the same
            size.
    """

    name: str
    left_out: tuple[str, ...]
    tested: dict[str, dict[str, str]]


# Which Stable Diffusion "sd_dalle_mixed" holds is unknown: it goes with each of them.
MIXED = "sd_dalle_mixed*"
ANY = "all of the benchmarks"
TURNS = (
    Turn(
        "first",
        ("stylegan1*", "sd3*", MIXED, "celeba*"),
        {
            "StyleGAN 1": {"stylegan1_bench": "ffhq", "stylegan1": "ffhq"},
            "Stable Diffusion 3": {"sd3_bench": "unsplash", "sd3": ANY},
        },
    ),
    Turn(
        "second",
        ("stylegan2*", "gpt4o*", MIXED, "web*"),
        {
            "StyleGAN 2": {
                **{"stylegan2_bench": "ffhq", "stylegan2_tpdne": "ffhq", "stylegan2_omi": "ffhq"}
            },
            "SDXL": {"sdxl_bench": "figures"},
            "GPT-4o": {"gpt4o": ANY},
        },
    ),
    Turn(
        "third",
        ("stylegan3*", "sd21*", MIXED, "unsplash*"),
        {
            "StyleGAN 3": {"stylegan3_bench": "ffhq", "stylegan3": "ffhq"},
            "Stable Diffusion 2.1": {"sd21": ANY},
        },
    ),
    Turn(
        "fourth",
        ("stylegan*", "ffhq*"),
        {
            "StyleGAN 1, 2, 3 together": {
                **{"stylegan1_bench": "ffhq", "stylegan2_bench": "ffhq", "stylegan3_bench": "ffhq"}
            }
        },
    ),
)
FAMILIES = [family for turn in TURNS for family in turn.tested]
NOT_IN_THE_MEAN = ("GPT-4o", "StyleGAN 1, 2, 3 together")  # 33 images; families counted already


class Pair(NamedTuple):
    """A set of generated faces, and the photographs that it is told from.

    Attributes:
        family: of the generator.
        source: of the generated faces, without their size.
        against: source of the photographs, likewise.
        size: "" or "_native".
        fake: (n,) which faces are the generated ones.
        real: (n,) which are the photographs.
    """

    family: str
    source: str
    against: str
    size: str
    fake: NDArray[np.bool_]
    real: NDArray[np.bool_]


def pairs(turn: Turn, faces: Manifest, benchmark: NDArray[np.bool_]) -> Iterator[Pair]:
    """What a turn tests, of these faces; `benchmark` says which are its photographs (n,)."""
    native = np.char.endswith(faces.source, "_native")
    for family, tested in turn.tested.items():
        for source, against in tested.items():
            for size in ("", "_native"):
                fake = faces.source == source + size
                if not fake.any():
                    continue
                real = benchmark & (native == bool(size))
                if against != ANY:
                    real &= faces.source == against + size
                yield Pair(family, source, against, size, fake, real)
