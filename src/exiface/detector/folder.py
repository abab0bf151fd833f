"""The detector folder: plain files, no pickles, hashes checked before anything is used.

::

    detector.json              version, name, encoder and preprocessing, bands, limits of quality,
                               provenance, sha256s
    encoder.onnx               the encoder
    attention.safetensors      the rest of it, of one of whole images with attention
    density.safetensors        the mixture; or
    evidence.safetensors       the heads whose signs are combined; or
    classifier.safetensors     the head of a binary detector (see `SCORERS`)
    calibration.safetensors    scores of the calibration photographs
    generated.safetensors      p-values of generated faces of families that training never saw;
                               absent where none were measured
    photographs.safetensors    digests of the photographs that trained or fitted it, so that none of
                               them calibrates it; absent from folders of earlier versions
    cross_check.safetensors    pretext heads and tags of those photographs; absent where unknown
    MODEL_CARD.md              for people
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save

from exiface.calibration import Calibration, CalibrationError, GeneratedFaces, Judge
from exiface.calibration.quality_limits import QualityLimits
from exiface.detector.cross_check import CrossCheck
from exiface.encoders import Encoder, EncoderDescription, EncoderFolder
from exiface.encoders.description import ATTENTION_FILE, ENCODER_FILE, PATCHES
from exiface.encoders.runtime import open_encoder
from exiface.errors import UserError
from exiface.photos import TAG_NAMES
from exiface.scoring import SCORERS, Scorer

# The detectors inside the package. Of faces: "default" has seen generated ones in training,
# "photographs-only" none. Of whole images: "whole-image", which has seen generated ones.
BUILTIN = {
    name: Path(__file__).parent / name for name in ("default", "photographs-only", "whole-image")
}
WHOLE_IMAGE = "whole-image"
_RENAMED = {"binary": "default"}
DETECTOR_FILE = "detector.json"
CARD_FILE = "MODEL_CARD.md"
_CALIBRATION_FILE = "calibration.safetensors"
_CROSS_CHECK_FILE = "cross_check.safetensors"
_GENERATED_FILE = "generated.safetensors"
_SEEN_FILE = "photographs.safetensors"
_FILES = (ENCODER_FILE, _CALIBRATION_FILE, CARD_FILE)
_SCORERS = {f"{name}.safetensors": kind for name, kind in SCORERS.items()}
_OPTIONAL_FILES = (_CROSS_CHECK_FILE, _GENERATED_FILE, _SEEN_FILE, ATTENTION_FILE)
_KEYS = {
    *("format", "version", "name", "encoder", "notice"),
    *("bands", "quality", "provenance", "files"),
}
_FORMAT = "exiface detector"
# 3 calibrates by source; 2 compared small crops with small ones; 1 had neither limits of quality
# nor generated faces.
_VERSION, _READ = 3, (1, 2)


class DetectorError(UserError):
    """A detector folder that is missing, damaged, or of a kind that this version doesn't know."""


@dataclass(frozen=True, eq=False)
class DetectorParts:
    """All that a detector folder holds."""

    name: str  #: what the detector is called.
    model: bytes  #: the bytes of the ONNX encoder.
    encoder: EncoderDescription  #: its description.
    #: the density of the features of photographs, evidence of heads, or a classifier.
    scorer: Scorer
    calibration: Calibration  #: of scores, with the bands of the verdict.
    card: str  #: the model card, Markdown.
    #: of camera tags; None where the encoder has no heads for them.
    cross_check: CrossCheck | None = None
    #: faces of families that training never saw; None where none were measured.
    generated: GeneratedFaces | None = None
    #: the least that calibration photographs cover.
    quality: QualityLimits = field(default_factory=QualityLimits)
    #: what everyone who reads a verdict must know of this detector; "" = nothing beyond the usual.
    notice: str = ""
    #: how it was made, for people and programs.
    provenance: dict[str, Any] = field(default_factory=dict)
    #: the bytes of the encoder's weights of attention; None of one without.
    attention: bytes | None = None
    photographic: bool = True  #: whether it has earned the verdict "photographic".
    #: (n,) digests of the photographs that trained or fitted it, see `digests`.
    seen: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    #: sha256 of `detector.json`, which holds those of the other files; "" before writing.
    digest: str = ""

    @property
    def shaped_by(self) -> frozenset[str]:
        """The photographs that trained or fitted it, by 16 digits of their sha256: `are_among`."""
        return frozenset(f"{digest:016x}" for digest in self.seen.tolist())

    @property
    def id(self) -> str:
        """The detector, by its name and the first digits of its digest."""
        digest = self.digest[:12]
        return f"{self.name}@{digest}" if digest else self.name

    def open_encoder(self, threads: int | None = None) -> Encoder:
        """The encoder, ready to run; threads: for one batch, None = one a core."""
        return open_encoder(self.model, self.attention, self.encoder, threads=threads)

    @cached_property
    def true_rate(self) -> tuple[float, float]:
        """95 % interval of the true false-alarm rate, given how many photographs calibrate."""
        low, high = self.calibration.true_rate()
        return round(low, 4), round(high, 4)

    @cached_property
    def judge(self) -> Judge:
        """What turns the detector's scores into findings."""
        subject = "faces" if self.encoder.subject == "face" else "pictures"
        return Judge(self.calibration, self.generated, self.photographic, subject)

    @property
    def learnt_from(self) -> str:
        """What it was taught with: photographs only, or generated faces too."""
        seen = self.scorer.supervised or "supervised" in self.encoder.provenance
        generated = "faces" if self.encoder.subject == "face" else "pictures"
        return f"photographs and generated {generated}" if seen else "photographs only"


def digests(sha256: Iterable[str]) -> NDArray[np.uint64]:
    """The first 64 bits of hexadecimal SHA-256 sums, sorted, each once.

    Example:
        >>> digests(["00000000000000ffab", "0000000000000001cd"]).tolist()
        [1, 255]
    """
    return np.array(sorted({int(each[:16], 16) for each in sha256}), np.uint64)


def _save_tensors(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays as a safetensors file, which would hold other numbers of a view that has gaps."""
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def write_folder(parts: DetectorParts, folder: Path) -> None:
    """Write a detector folder, whole or not at all; a detector that is there is replaced.

    A folder that holds something else is a DetectorError.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / DETECTOR_FILE).exists():
        raise DetectorError(f"{folder} holds other files; name a new folder")
    scorer_file = next(name for name, kind in _SCORERS.items() if kind is type(parts.scorer))
    contents = {
        ENCODER_FILE: parts.model,
        scorer_file: _save_tensors(parts.scorer.arrays()),
        _CALIBRATION_FILE: _save_tensors(parts.calibration.arrays()),
        CARD_FILE: parts.card.encode(),
    }
    if parts.attention is not None:
        contents[ATTENTION_FILE] = parts.attention
    if len(parts.seen):
        contents[_SEEN_FILE] = _save_tensors({"digests": parts.seen})
    if parts.cross_check is not None:
        contents[_CROSS_CHECK_FILE] = _save_tensors(parts.cross_check.arrays())
    if parts.generated is not None:
        contents[_GENERATED_FILE] = _save_tensors(parts.generated.arrays())
    described = {
        "format": _FORMAT,
        "version": _VERSION,
        "name": parts.name,
        "encoder": parts.encoder.as_dict(),
        "notice": parts.notice,
        "bands": {
            "alpha": parts.calibration.alpha,
            "beta": parts.calibration.beta,
            "photographic": parts.photographic,
            "true_rate": parts.true_rate,
        },
        "quality": parts.quality.as_dict(),
        "provenance": parts.provenance,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, content in contents.items():
            (partial / name).write_bytes(content)
        text = json.dumps(described, indent=2) + "\n"
        (partial / DETECTOR_FILE).write_text(text, encoding="utf-8")
        partial.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        partial.replace(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def detector_folder(detector: str | Path | None = None) -> Path:
    """The folder of a detector: of one inside the package by its name, or the folder that is given.

    None is the default detector; a folder that is called like one inside is named as `./default`.
    """
    name = str(detector or "default")
    if name in _RENAMED:
        raise DetectorError(
            f"there is no detector {name!r} any more: {_RENAMED[name]!r} has taken its place and "
            f"finds more; name a folder that is called so as ./{name}"
        )
    return BUILTIN.get(name) or Path(name)


def read_folder(folder: Path) -> DetectorParts:
    """Read a detector folder; one that is missing, damaged or unknown is a DetectorError."""
    path = folder / DETECTOR_FILE
    try:
        content = path.read_bytes()
        described = json.loads(content)
    except OSError:
        if not folder.exists():
            raise DetectorError(
                f"{folder}: no such detector, nor a folder; name {', '.join(BUILTIN)}, or the "
                "folder of one that exiface fit or exiface calibrate made"
            ) from None
        raise DetectorError(
            f"{folder} is no detector: {DETECTOR_FILE} is missing; make one with: "
            "exiface fit --encoder RUN --photos DIR -o DETECTOR"
        ) from None
    except ValueError as error:
        raise DetectorError(f"{path} is not JSON ({error}); restore the folder") from None
    if not isinstance(described, dict) or described.get("format") != _FORMAT:
        raise DetectorError(f"{path} does not describe a detector of exiface")
    if described.get("version") in _READ:
        described = {"quality": {}} | described | {"version": _VERSION}
    if described.get("version") != _VERSION:
        raise DetectorError(
            f"{path} has version {described.get('version')}, this exiface reads {_VERSION}: "
            "install the exiface that made it, or fit it again"
        )
    wrong = (set(described) ^ _KEYS) or (
        (set(described["files"]) - {*_OPTIONAL_FILES, *_SCORERS}) ^ set(_FILES)
    )
    if wrong:
        raise DetectorError(f"{path}: unknown or missing: {', '.join(sorted(wrong))}")
    scorers = [name for name in _SCORERS if name in described["files"]]
    if len(scorers) != 1:
        raise DetectorError(f"{path}: needs one of {', '.join(_SCORERS)}; restore the folder")
    files = {name: _checked(folder / name, described["files"][name]) for name in described["files"]}
    if (described["encoder"].get("architecture") == PATCHES) != (ATTENTION_FILE in files):
        raise DetectorError(f"{path}: {ATTENTION_FILE} is missing or too much; restore the folder")
    cross_check, generated = files.get(_CROSS_CHECK_FILE), files.get(_GENERATED_FILE)
    try:
        calibration = load_tensors(files[_CALIBRATION_FILE])
        if "sides" in calibration:
            raise DetectorError(
                f"{folder} compares small crops with small ones, which exiface does no longer: "
                "calibrate it again with: exiface fit --encoder RUN --photos DIR -o DETECTOR"
            )
        bands = described["bands"]
        return DetectorParts(
            name=described["name"],
            model=files[ENCODER_FILE],
            encoder=EncoderDescription.from_dict(described["encoder"]),
            scorer=_SCORERS[scorers[0]].from_arrays(load_tensors(files[scorers[0]])),
            calibration=Calibration.of(
                calibration["scores"],
                sources=calibration.get("sources"),
                forms=calibration.get("forms"),
                alpha=bands["alpha"],
                beta=bands["beta"],
            ),
            card=files[CARD_FILE].decode(),
            cross_check=CrossCheck(**load_tensors(cross_check)) if cross_check else None,
            generated=GeneratedFaces.from_arrays(load_tensors(generated)) if generated else None,
            quality=QualityLimits.from_dict(described["quality"]),
            notice=str(described["notice"]),
            provenance=described["provenance"],
            attention=files.get(ATTENTION_FILE),
            seen=load_tensors(files[_SEEN_FILE])["digests"]
            if _SEEN_FILE in files
            else np.empty(0, np.uint64),
            photographic=bool(bands.get("photographic", True)),
            digest=hashlib.sha256(content).hexdigest(),
        )
    except (ValueError, KeyError, TypeError, SafetensorError, CalibrationError) as error:
        raise DetectorError(f"{folder} can't be used: {error}") from None


def encoder_named(encoder: EncoderFolder | str | Path) -> EncoderFolder:
    """Read an encoder, if it isn't read already: from its folder, or as that of a detector inside.

    The encoders of `default`, `photographs-only` and `whole-image` come with the heads of camera
    tags, the classifier, and what tells the photographs that shaped them. Those of
    `photographs-only` are not listed: give `fit` others than docs/photographs-only.md names.
    """
    if isinstance(encoder, EncoderFolder):
        return encoder
    if str(encoder) not in BUILTIN:
        return EncoderFolder.read(Path(encoder))
    parts = read_folder(detector_folder(encoder))
    heads = {}
    if parts.cross_check is not None:
        heads = dict(zip(TAG_NAMES, parts.cross_check.weights, strict=True))
    classifier = parts.scorer.arrays() if parts.scorer.supervised else {}
    return EncoderFolder(
        parts.model,
        parts.encoder,
        parts.attention,
        heads,
        classifier,
        parts.shaped_by,
    )


def _checked(path: Path, digest: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError:
        raise DetectorError(f"{path} is missing; restore the detector folder") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise DetectorError(
            f"{path} is not the file that {DETECTOR_FILE} describes (sha256 differs); "
            "restore the folder, or fit the detector again"
        )
    return content
