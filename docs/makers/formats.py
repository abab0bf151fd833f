"""The page of file formats, made from the classes and constants that read and write them.

What a key means is said by the docstring of its class where there is one; where there is none, it
stands here, and a key without a meaning, or a meaning without a key, is an error.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, get_type_hints

import pyarrow
from pydantic import BaseModel

from docs.makers.tables import Line, attributes, code, table, words
from exiface.apps import detect, options
from exiface.apps.bulk import features, parts
from exiface.apps.service import schemas
from exiface.calibration.quality_limits import QualityLimits
from exiface.datasets import Manifest, manifest, records
from exiface.detector import folder
from exiface.detector.results import SCHEMA_VERSION
from exiface.encoders import description
from exiface.encoders import folder as encoder_folder
from exiface.evaluation import score_file
from exiface.photos import RANKED_TAGS, CameraTags, Preprocessing
from exiface.photos.camera_settings import CLASSES
from exiface.photos.patches import Patches

HEAD = "name | what it is | what it says"

ENCODER_FILES = {
    encoder_folder.DESCRIPTION_FILE: "the description, below",
    description.ENCODER_FILE: "the network: `crops` (n, 3, s, s) to `features` (n, d); of whole "
    "images `patches` to `tokens`",
    description.ATTENTION_FILE: "weights of attention, of an encoder of whole images that has it",
    encoder_folder._HEADS_FILE: "weights (d,) of the linear heads of the pretext task, by name",
    description.CLASSIFIER_FILE: "the head that tells generated faces",
    encoder_folder._SEEN_FILE: "sha256 of the photographs that shaped the encoder, one a line",
}
ENCODER_KEYS = {
    "version": "of the format: 1",
    "architecture": "name of the network",
    "features": "length of the feature vector",
    "preprocessing": "of an encoder of faces: how a face becomes its input",
    "patches": "of an encoder of whole images, in its place: how an image becomes its input",
    "provenance": "how it was trained: settings, versions, counts of photographs; free form",
}
DETECTOR_FILES = {
    folder.DETECTOR_FILE: "the description, below",
    description.ENCODER_FILE: "the encoder's network",
    description.ATTENTION_FILE: "the rest of it, of an encoder of whole images with attention",
    "density.safetensors": "the mixture; or",
    "evidence.safetensors": "the heads whose signs are combined; or",
    description.CLASSIFIER_FILE: "the head that has seen generated faces",
    folder._CALIBRATION_FILE: "scores of the calibration photographs, their sources and forms",
    folder._GENERATED_FILE: "p-values of generated faces of kinds that training never saw; absent "
    "where none were measured",
    folder._SEEN_FILE: "digests of the photographs that trained or fitted it; absent from folders "
    "of earlier versions",
    folder._CROSS_CHECK_FILE: "heads that expect camera tags, and tags of the calibration "
    "photographs; absent where unknown",
    folder.CARD_FILE: "the model card, for people",
}
DETECTOR_KEYS = {
    "format": f"`{folder._FORMAT}`",
    "version": f"of the format: {folder._VERSION}",
    "name": "what the detector is called",
    "encoder": "what `encoder.json` says",
    "notice": "what everyone who reads a verdict must know of this detector",
    "bands": "`alpha`, the promised false-alarm rate; `beta`, the p-value from which on nothing "
    "was found; `photographic`, whether that verdict was earned",
    "quality": "the least quality that the calibration covers; a limit that is absent isn't one: "
    + ", ".join(code(field.name) for field in fields(QualityLimits)),
    "provenance": "how it was made; free form",
    "files": "name to sha256 of each other file; a file that differs is refused",
}
RECORDS = {
    "file": "the picture, relative to the folder of pictures; needed",
    "photo": "id of the photograph; faces of one photograph stay in one split",
    "group": "id of where it came from (photographer, album); stays in one split as well",
    "camera": "maker and model",
    "make": "of the camera, where `camera` is absent",
    "model": "likewise",
    "source": "which collection it belongs to",
    "generated": "0 or 1; empty = 0",
    "split": "`train`, `validation`, `fit` or `calibration`; empty = dealt out",
}
MANIFEST_TYPES = {
    "box": "4 numbers",
    "landmarks": "10 numbers",
    "score": "a number",
    "generated": "true or false",
}
PARTS = {
    "verdict": "on the image, of all that was judged",
    "score": "of its most unusual face; of the image where no face was judged",
    "faces": "all of them, largest first, with the keys of a face below",
    "image": "the verdict on the whole, with its keys below",
}
CSV = {
    "face": "number of the face, from 0; `image` = the image as a whole; empty = nothing is judged",
    **dict.fromkeys(("x0", "y0", "x1", "y1"), "the face's box, in pixels of the upright image"),
    "likelihood_ratio_low": "lower end of its 95 % interval",
    "likelihood_ratio_high": "upper end",
    "likelihood_ratio_words": "the same in words",
    "image_verdict": "on the image, of all that was judged in it",
    "image_p_value": "likewise",
    "declared": "mark by mark, as JSON",
    "likelihood_ratio": "generated over photographed",
}
FEATURES = {
    "path": "of the image",
    "box": "x0, y0, x1, y1 of the face, or of the whole image",
    "vector": "the feature vector",
    "reason": "why there is none",
}
SCORES = {
    "set": "name of the set; needed",
    "label": "`real` or `fake`, or 0 or 1; needed",
    "path": "of the image, relative to the file",
    "photo": "which photograph it is from, where several images share one",
    "condition": "an alteration; empty or `original` = none",
    "score": "higher = more likely generated; empty = no verdict; needed",
    "p_value": "share of photographs at least as unusual",
    "verdict": "such as `ai-generated`",
    "likelihood_ratio": "generated over photographed, above 0",
}
GENERATED = {
    "family": "name of the kind of generator",
    "p_value": "by a detector that was made in the same way without the family",
}


def formats() -> str:
    """Every file format, as Markdown."""
    return "\n".join(f"## {title}\n\n{text}" for title, text in _sections())


def _sections() -> Iterable[tuple[str, str]]:
    yield (
        "The folder of an encoder",
        "Made by `exiface train`, `import`, `supervise` and `exiface.encoders.export`.\n\n"
        + _plain(ENCODER_FILES, "file"),
    )
    yield (
        "encoder.json",
        _plain(ENCODER_KEYS)
        + "\nIn `preprocessing`:\n\n"
        + _of_class(Preprocessing)
        + "\nIn `patches`:\n\n"
        + _of_class(Patches),
    )
    yield (
        "The folder of a detector",
        "Made by `exiface fit` and `exiface calibrate`.\n\n" + _plain(DETECTOR_FILES, "file"),
    )
    yield "detector.json", _plain(_exactly(DETECTOR_KEYS, folder._KEYS))
    yield (
        "The manifest",
        "Parquet, made by `exiface prepare`, one row a face, or an image as a whole. Version "
        f"{manifest._VERSION}; the file's metadata `exiface` holds `version`, `subject` and "
        "`root`, the folder that paths are relative to.\n\n" + table(HEAD, _manifest()),
    )
    yield (
        "Records",
        "CSV for `exiface prepare --records`, in UTF-8. All columns but the first may be absent, "
        "and so may any value.\n\n" + table(HEAD, _records()),
    )
    yield (
        "Results: JSON",
        f"One object an image, by `exiface detect --json` and the service; "
        f"`schema` {SCHEMA_VERSION}. What "
        "doesn't apply is absent, or null.\n\n" + _of_models(),
    )
    yield (
        "Results: CSV",
        "By `exiface detect --csv`: one row a face, and one for the image as a whole.\n\n"
        + _plain(_exactly(_meanings(CSV, detect._CSV_COLUMNS), detect._CSV_COLUMNS), "column"),
    )
    yield (
        "Results: Parquet",
        "By `exiface score`: `part-000000.parquet` and so on, one row an image; the files' "
        "metadata name the detector.\n\n"
        + _of_arrow(parts.SCORE_COLUMNS, _meanings(PARTS, parts.SCORE_COLUMNS.names)),
    )
    yield (
        "Features",
        "Parquet by `exiface features`: one row a face, or an image where the encoder looks at "
        "those.\n\n" + _of_arrow(features.FEATURE_COLUMNS, FEATURES),
    )
    yield (
        "Scores to be evaluated",
        "CSV for `exiface evaluate --scores`, by any detector; the reports' `scores.csv` has all "
        "columns.\n\n" + _plain(_exactly(SCORES, score_file.COLUMNS), "column"),
    )
    yield (
        "P-values of generated faces",
        "CSV for `--generated` of `exiface fit` and `exiface calibrate`.\n\n"
        + _plain(_exactly(GENERATED, options._COLUMNS), "column"),
    )


def _exactly(meanings: dict[str, str], names: Iterable[str]) -> dict[str, str]:
    """The meanings in the order of the names; each must have one, and no other may be there."""
    names = list(names)
    if wrong := set(meanings) ^ set(names):
        raise ValueError(f"the page of formats and the code differ in: {', '.join(sorted(wrong))}")
    ordered = meanings if set(names) == set(folder._KEYS) else names
    return {name: meanings[name] for name in ordered}


def _plain(meanings: Mapping[str, str], first: str = "key") -> str:
    return table(f"{first} | what", [[code(name), text] for name, text in meanings.items()])


def _of_class(kind: Any) -> str:
    meanings, hints = attributes(kind), get_type_hints(kind)
    return table(
        HEAD,
        [[code(each.name), words(hints[each.name]), meanings[each.name]] for each in fields(kind)],
    )


def _of_models() -> str:
    shown = {
        "an image": schemas.ImageAnswer,
        "a face": schemas.FaceAnswer,
        "`image`, the whole": schemas.WholeAnswer,
        "`likelihood_ratio`": schemas.LikelihoodRatioAnswer,
        "`declared`": schemas.MarkAnswer,
    }
    return "\n".join(f"Of {title}:\n\n{_model(kind)}" for title, kind in shown.items())


def _model(kind: type[BaseModel]) -> str:
    return table(
        "key | what",
        [
            [code(each.alias or name), each.description or _UNSAID[name]]
            for name, each in kind.model_fields.items()
        ],
    )


# Keys whose names say all, so that the service's own description says no more.
_UNSAID = {"detector": "id of the detector that judged: name and the first digits of its digest"}


def _described() -> dict[str, str]:
    """What results mean, by key: of a face first, then of an image."""
    kinds = (schemas.ImageAnswer, schemas.WholeAnswer, schemas.FaceAnswer)
    texts = {
        name: each.description or _UNSAID[name]
        for kind in kinds
        for name, each in kind.model_fields.items()
    }
    return texts | attributes(CameraTags) | {"path": "of the image, as it was given"}


def _meanings(own: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Meanings of this page, and for the other columns those of the service's answers."""
    described = _described()
    return {**own, **{name: described[name] for name in names if name not in own}}


def _of_arrow(schema: pyarrow.Schema, meanings: dict[str, str]) -> str:
    meanings = _exactly(meanings, schema.names)
    return table(
        "column | type | what",
        [[code(each.name), _arrow(each.type), meanings[each.name]] for each in schema],
    )


def _arrow(kind: pyarrow.DataType) -> str:
    if pyarrow.types.is_list(kind):
        return f"list of {_arrow(kind.value_type)}"
    if pyarrow.types.is_struct(kind):
        return f"struct of {', '.join(code(field.name) for field in kind)}"
    return str(kind)


def _manifest() -> list[Line]:
    # Without the shapes of the columns in memory, which the file does not have.
    meanings = {
        name: re.sub(r"^\(n[^)]*\) (float32, )?", "", text)
        for name, text in attributes(Manifest).items()
    }
    tags = attributes(CameraTags)
    lines = [[code(name), "text", meanings[name]] for name in manifest._STRINGS]
    lines += [[code(name), kind, meanings[name]] for name, kind in MANIFEST_TYPES.items()]
    lines += [[code(name), "a number, or null", tags[name]] for name in RANKED_TAGS]
    lines += [
        [code(name), "text, or null", f"one of {', '.join(map(code, classes))}"]
        for name, classes in CLASSES.items()
    ]
    return lines


def _records() -> list[Line]:
    tags = attributes(CameraTags)
    lines = [[code(name), "text", meaning] for name, meaning in RECORDS.items()]
    for name, aliases in records._TAG_COLUMNS.items():
        lines.append([", or ".join(map(code, aliases)), "a number", tags[name]])
    for name, field in records._SETTINGS.items():
        lines.append([code(name), "a whole number", f"EXIF's {field.name}, field {field.value}"])
    return lines
