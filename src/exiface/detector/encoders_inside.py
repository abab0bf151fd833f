"""An encoder by its folder, or by the name of a detector inside the package."""

from pathlib import Path

from exiface.detector.folder import BUILTIN, detector_folder, read_folder
from exiface.encoders import EncoderFolder
from exiface.photos import TAG_NAMES


def encoder_named(encoder: EncoderFolder | str | Path) -> EncoderFolder:
    """Read an encoder.

    Args:
        encoder: what was read already; its folder; or `default`, `photographs-only` or
            `whole-image` for the encoder of that detector (`./default` for a folder of such a
            name). The photographs that shaped those encoders are not listed in the package: give
            `fit` others than the data sets that docs/default-detector.md names.

    Returns:
        What the folder holds; of a detector's encoder the heads of camera tags and the classifier.

    Raises:
        EncoderError: no encoder in the folder, or a damaged one.
        DetectorError: a detector inside the package was changed.
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
    return EncoderFolder(parts.model, parts.encoder, parts.attention, heads, classifier)
