"""What exiface reads of the authors' files, field by field: the tables of the published systems.

Names come from the code that reads them; what each is stands here.
"""

from docs.makers.tables import code, table
from exiface.papers import checkpoints
from exiface.papers.exif_ranking import celeba_sets, fdf
from exiface.papers.sdaie import checkpoints as sdaie_checkpoints
from exiface.papers.sdaie import scene_sets
from exiface.photos import MANIPULATIONS, camera_settings, tags
from exiface.photos.tags import TAG_TITLES

HEAD = "file | field | what is read"
# Forms in which Flickr reports each tag.
_FORMS = {
    "aperture": "`F2.8`, `2.8`, `28/10`; `F` alone is absent",
    "exposure_time": "`1/200 sec`, `0.005 sec (1/200)`, `2 sec`: seconds",
    "focal_length": "`50.0 mm`",
    "iso_speed": "`200`",
}
_JSON_OF_A_PHOTO = "`<photo id>.json`"
_METAINFO = code(fdf._METAINFO_FILE)
_BLADES = code(fdf.BLADES_FILE)


def exif_ranking() -> str:
    """Of EXIF ranking: training data, test data, checkpoint."""
    lines = [
        [
            code(f"{fdf._IMAGES_FOLDER}/<name>.png"),
            "",
            "the faces, 128 px; without them nothing is found",
        ],
        [_METAINFO, "`bounding_box`", "x0, y0, x1, y1 in shares of the sides; needed"],
        [_METAINFO, "`landmark`", "5 or 68 points, in shares or pixels; may be absent"],
        [code(fdf._IDS_FILE), "", "dictionary, image name to photo id; strings only are read"],
        [
            " or ".join(code(f"{each}/<name>_<i>.png") for each in fdf._MANIPULATED_FOLDERS),
            "",
            f"the manipulations 0 to {len(MANIPULATIONS) - 1} ({', '.join(MANIPULATIONS)}); may be "
            "absent: training makes its own",
        ],
    ]
    for name, keys in tags._FLICKR_KEYS.items():
        field = "`EXIF`: " + " or ".join(map(code, keys))
        lines.append([_JSON_OF_A_PHOTO, field, f"{TAG_TITLES[name]}: {_FORMS[name]}"])
    lines.append([_JSON_OF_A_PHOTO, "`EXIF`: `Make`, `Model`", "the camera; may be absent"])
    settings = [name.replace("_", " ").title() for name in camera_settings._WORDS]
    lines.append(
        [
            _JSON_OF_A_PHOTO,
            f"`EXIF`: {', '.join(map(code, settings))}",
            "in words, for encoders that learn classes; may be absent",
        ]
    )
    heads = [
        [
            code(f"{name}.weight"),
            f"1 x 768, the head of {TAG_TITLES.get(tag, tag)}"
            + (", its sign turned" if sign < 0 else ""),
        ]
        for name, (tag, sign) in checkpoints._HEADS.items()
    ]
    return (
        f"{code(_JSON_OF_A_PHOTO.strip('`'))} lies in {code(fdf.EXIF_FOLDER)}.\n\n"
        + table(HEAD, lines)
        + "\nOf the checkpoint, below `model` (any number of `model.` and `module.` may stand "
        "before a key):\n\n"
        + table(
            "key | what is read",
            [["`visual.*`", "torchvision's ResNet-50, `fc` 768 x 2048"], *heads],
        )
        + "\nOf the test data, folders within `data`; the lists lie there or in "
        f"{code(celeba_sets.PHOTOGRAPHS)}:\n\n" + _sets(celeba_sets.GENERATORS)
    )


def blades() -> str:
    """Of BLADES: its single file, its checkpoints, its further test sets."""
    lines = [
        [
            _BLADES,
            f"`EXIF_ordinal`: {' or '.join(map(code, keys))}",
            f"{TAG_TITLES[name]}; a number, or in words",
        ]
        for name, keys in tags._FLICKR_KEYS.items()
    ]
    for key, name in camera_settings._OF_BLADES.items():
        classes = ", ".join(
            f"{place} {each}" for place, each in enumerate(camera_settings.CLASSES[name])
        )
        lines.append([_BLADES, f"`EXIF_categorical`: {code(key)}: `cls_label`", classes])
    keys = [
        ["`visual.*`", "`OC.pth`, `BC.pth`", "ResNet-50, `fc` 768 x 2048"],
        ["`fc1.weight`, `fc1.bias`", "`BC.pth`", "1536 x 768 and 1536"],
        ["`fc2.weight`, `fc2.bias`", "`BC.pth`", "2 x 1536 and 2: photographs, generated"],
    ]
    return (
        table(HEAD, lines)
        + "\nOf the checkpoints, below `model`:\n\n"
        + table("key | file | what is read", keys)
        + "\nOf the test data, beside the nine of [EXIF ranking](exif-ranking.md):\n\n"
        + _sets(celeba_sets._MORE_OF_BLADES)
    )


def sdaie() -> str:
    """Of SDAIE: checkpoints and test sets."""
    keys = [
        [
            code(f"{prefix}*"),
            kind,
            "the encoder, with its 30 fixed kernels in `group1.hpf.weight`",
        ]
        for kind, prefix in sdaie_checkpoints.PREFIXES.items()
    ]
    keys += [
        [code(f"{name}.weight"), "sdaie-backbone", f"1 x 528: a ranked tag, kept as `{tag}`"]
        for name, tag in sdaie_checkpoints._RANKED.items()
    ]
    keys += [
        [
            code(f"{name}.weight"),
            "sdaie-backbone",
            f"{classes} x 528: a tag of {classes} classes; checked, and not used",
        ]
        for name, classes in sdaie_checkpoints._CLASSES.items()
    ]
    keys += [
        [
            "`fc.weight`, `fc.bias`",
            "sdaie-binary",
            "2 x 528 and 2: photographs, generated",
        ]
    ]
    labels = [
        [code(name), "generated" if generated else "photographs"]
        for name, generated in scene_sets._GENERATED.items()
    ]
    return (
        "Of the checkpoints, below `state_net`:\n\n"
        + table("key | kind | what is read", keys)
        + "\nOf the test data, folders at any depth within a set's:\n\n"
        + table("folder | label", labels)
        + f"\nPhotographs to fit on lie in {code(scene_sets.FIT)}. Its sets, of which any may be "
        f"missing, are {', '.join(map(code, scene_sets.SDAIE_SETS))}.\n"
    )


def _sets(folders: dict[str, tuple[str, ...]]) -> str:
    lines = [[name, " or ".join(map(code, names))] for name, names in folders.items()]
    return table("generator | folder", lines)
