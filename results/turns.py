"""Which pictures each turn keeps from training: families, collections and whole sources.

    python results/turns.py OUTPUT

reads runs/data/*.parquet (configs/prepare.sh) and writes, for each turn and for the network that
ships ("all"), OUTPUT/<turn>.parquet with what it trains on and validates with. What it keeps for
measuring is OUTPUT/<turn>-kept.parquet, whose splits say why: "fit" are families of generators
that the turn has not seen at all, "validation" further collections of families that it knows, and
"calibration" photographs of sources that it has not seen.

A third of the families, of the sources of photographs and of the further collections is kept in
each turn, each of them in one. The network that ships learns from all generated pictures; the
photographs kept from it are those of the first turn, and calibrate it: OUTPUT/all-faces.parquet are
their faces, OUTPUT/all-pictures.parquet their windows as whole pictures.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exiface.datasets import Manifest
from exiface.datasets.sampling import families_of

DATA = Path("runs/data")
FACES = (
    *("camera_faces", "camera_faces_2", "faces_of_both", "faces_of_both_2", "faces_of_both_3"),
    *("bench_dev", "bench_dev_native"),
)
WINDOWS = ("camera_native", "windows_of_both", "bench_scenes", "bench_scenes_2")
# Relatives are kept from training together. An unknown generator may be any, and always trains.
FAMILIES = (
    ("gemini-image", "sd-3", "sd-3.5", "stylegan1", "qwen-image", "z-image", "kolors", "pixart",
     "cosmos", "hidream", "deepfloyd-if", "playground", "seedream", "dalle2"),
    ("flux1", "flex", "chroma", "stylegan2", "generated.photos", "sd21", "wan", "omnigen", "lumina",
     "kandinsky", "imagen", "f-lite", "infinity", "firefly", "meissonic"),
    ("gpt-image", "dalle3", "sdxl", "sd15", "stylegan3", "facestudio", "midjourney", "cogview",
     "hunyuan-dit", "auraflow", "sana", "stable-cascade", "bria", "ideogram", "video-ltx",
     "emu3.5"),
)  # fmt: skip
TURNS = ("first", "second", "third")
UNKNOWN = "unknown"
# The large collections of portraits, one or two a turn; of the others, every third by name.
PORTRAITS = (("utkface", "celeba"), ("web", "figures"), ("ffhq", "unsplash"))
_VALIDATION = 40  # of so many pictures that train, one validates


def data(names: tuple[str, ...] = (*FACES, *WINDOWS)) -> Manifest:
    """All pictures of these folders, each window and crop a row."""
    return Manifest.joined([Manifest.read(DATA / f"{name}.parquet") for name in names])


def folds(pictures: Manifest) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The turns that keep each picture's family or source, and its collection (n,); -1 = none."""
    of_source: dict[str, int] = {
        source: turn for turn, sources in enumerate(PORTRAITS) for source in sources
    }
    photographs = sorted({*pictures.source[~pictures.generated].tolist()} - {*of_source})
    of_source |= {source: place % len(TURNS) for place, source in enumerate(photographs)}
    of_family = {name: turn for turn, names in enumerate(FAMILIES) for name in names}
    of_family[UNKNOWN] = -1
    families = families_of(pictures.source)
    kept = np.array(
        [
            of_family[str(family)] if generated else of_source[str(source)]
            for source, family, generated in zip(
                pictures.source, families, pictures.generated, strict=True
            )
        ]
    )
    collections = sorted(set(pictures.source[pictures.generated].tolist()))
    of_collection = {}
    for family in set(families[pictures.generated].tolist()):
        members = [each for each in collections if each.split("/")[0] == family]
        others = [turn for turn in range(len(TURNS)) if turn != of_family[family]]
        # The largest share of a family stays: every third collection is kept, in one turn each.
        for place, name in enumerate(members):
            if len(members) > 2 and place % 3 == 1:
                of_collection[name] = others[place // 3 % len(others)]
    known = np.array([of_collection.get(str(source), -1) for source in pictures.source])
    return kept, known


def parts(pictures: Manifest, turn: str) -> tuple[Manifest, Manifest]:
    """What a turn ("first" to "third", or "all") trains on, and what it keeps."""
    kept, known = folds(pictures)
    if turn == "all":
        why = np.where(~pictures.generated & (kept == 0), "calibration", "train")
    else:
        number = TURNS.index(turn)
        why = np.where(known == number, "validation", "train")
        why = np.where(kept == number, np.where(pictures.generated, "fit", "calibration"), why)
    training = why == "train"
    digits = np.array([int(digest[:8], 16) for digest in pictures.sha256])
    split = np.where(digits % _VALIDATION == 0, "validation", "train")
    # No other picture of a photograph that is kept may train.
    training &= ~np.isin(pictures.photo, pictures.photo[~training])
    return (
        pictures.with_split(split).select(training),
        pictures.with_split(why).select(why != "train"),
    )


def is_picture(pictures: Manifest) -> NDArray[np.bool_]:
    """Which rows (n,) are windows of whole pictures, by their folder below the data."""
    return np.isin([str(path).split("/")[0] for path in pictures.path], WINDOWS)


def main(output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    pictures = data()
    for turn in (*TURNS, "all"):
        for manifest, name in zip(parts(pictures, turn), (turn, f"{turn}-kept"), strict=True):
            manifest.write(output / f"{name}.parquet")
            print(name, manifest.counts(), np.unique(manifest.split, return_counts=True))
    kept = parts(pictures, "all")[1]
    whole = is_picture(kept)
    kept.select(~whole).write(output / "all-faces.parquet")
    replace(kept.select(whole), subject="image").write(output / "all-pictures.parquet")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
