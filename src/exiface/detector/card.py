"""The model card that every detector carries, filled in from what made it."""

import math

from exiface.detector.folder import DetectorParts
from exiface.html import template
from exiface.photos import TAG_NAMES, TAG_TITLES

_FAMILIES = {
    "manipulation": "manipulated faces",
    "smoothing": "smoothed faces",
    "averaging": "faces averaged with others",
}


def model_card(parts: DetectorParts) -> str:
    """Write the model card of a detector: Markdown, with a header as hubs of models read it."""
    encoder, provenance = parts.encoder, parts.provenance
    measured = encoder.provenance.get("validation", {})
    figures = {
        f"{TAG_TITLES[tag]}: Spearman correlation of predicted and true order": f"spearman_{tag}"
        for tag in TAG_NAMES
    } | {f"untouched against {title}: AUC": f"{key}_auc" for key, title in _FAMILIES.items()}
    trained = encoder.provenance.get("training", {})
    what = "faces" if encoder.subject == "face" else "images"
    training = "encoder: training"
    if generated := trained.get("generated"):
        training += f", {generated} generated ones among them"
    return template("exiface.detector", "card.md").render(
        name=parts.name,
        faces=encoder.subject == "face",
        what=what,
        encoder=encoder,
        provenance=provenance,
        trained=trained,
        # Unknown of an encoder that was exported from elsewhere.
        spots=encoder.provenance.get("config", {}).get("families") != [],
        supervised=encoder.provenance.get("supervised") or {},
        imported=encoder.provenance.get("imported"),
        scorer=parts.scorer,
        promise=parts.judge.promise(),
        calibration=parts.calibration,
        smallest=0 if math.isnan(parts.quality.size) else math.ceil(parts.quality.size),
        true_rate=parts.true_rate,
        columns=("photographs", what, "groups", "cameras"),
        sets=(
            (training, trained),
            ("scorer: fit", provenance.get("fit")),
            ("calibration", provenance["calibration"]),
        ),
        figures=[
            (title, measured[key])
            for title, key in figures.items()
            if measured.get(key) is not None
        ],
    )
