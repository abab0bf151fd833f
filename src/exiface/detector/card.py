"""The model card that every detector carries, filled in from what made it."""

from exiface.detector.folder import DetectorParts
from exiface.encoders import EncoderDescription
from exiface.photos import TAG_NAMES, TAG_TITLES

_FAMILIES = {
    "manipulation": "manipulated faces",
    "smoothing": "smoothed faces",
    "averaging": "faces averaged with others",
}

_TELLS = {
    "face": "Tells camera photographs of faces from AI-generated ones.",
    "image": "Tells camera photographs from AI-generated images, by traces at their own pixels.",
}
_OF = {"face": "a face crop", "image": "an image"}
_LIMITS = {
    "face": "- It judges faces of at least 32 px; it has not been tested on how it treats people "
    "of different\n  age, sex or skin colour.",
    "image": "- Traces at pixel level die when a picture is resized, and screenshots have none of "
    "the camera's:\n  of such images it mostly can't tell.",
}


def model_card(parts: DetectorParts) -> str:
    """Write the model card of a detector: Markdown, with a header as hubs of models read it."""
    encoder, judge, provenance = parts.encoder, parts.judge, parts.provenance
    calibration = judge.calibration
    trained = encoder.provenance.get("training", {})
    measured = encoder.provenance.get("validation", {})
    fitted = provenance.get("fit")
    sets = [
        ("encoder: training", trained),
        *([("scorer: fit", fitted)] if fitted else []),
        ("calibration", provenance["calibration"]),
    ]
    what = "images" if encoder.subject == "image" else "faces"
    columns = ("photographs", what, "groups", "cameras")
    rows = "\n".join(
        f"| {label} | {' | '.join(str(counts.get(column, '?')) for column in columns)} |"
        for label, counts in sets
    )
    correlations = "\n".join(
        f"| {TAG_TITLES[tag]}: Spearman correlation of predicted and true order | {value:.2f} |"
        for tag in TAG_NAMES
        if (value := measured.get(f"spearman_{tag}")) is not None
    )
    for key, title in _FAMILIES.items():
        if (auc := measured.get(f"{key}_auc")) is not None:
            correlations += f"\n| untouched against {title}: AUC | {auc:.2f} |"
    pretext = (
        f"\n## The pretext task, on photographs and groups kept from training\n\n"
        f"| what | figure |\n| --- | --- |\n{correlations.strip()}\n"
        if correlations
        else ""
    )
    number = calibration.number_of_sources
    counted = f"; each of {number}\n  sources weighs the same" if calibration.by_source else ""
    if not calibration.by_source and len(calibration.references) > 1:
        counted = ", in the source of photographs\n  where that is largest"
    low, high = parts.true_rate
    units = "sources" if calibration.by_source else "photographs"
    sent = ""
    if provenance.get("as_sent") and encoder.subject == "image":
        sent = "\nEach calibrates thrice: as it is, saved again, and shrunk."
    elif provenance.get("as_sent"):
        sent = " They were\nsaved again and shrunk at random, as pictures arrive."
    imported = encoder.provenance.get("imported")
    supervised = encoder.provenance.get("supervised")
    if supervised and "sources" in supervised:
        learnt = (
            f"It was trained as a\nwhole on {supervised['photographs']} photographs and "
            f"{supervised['generated']} generated {what}: it knows the generators that it\n"
            "has seen."
        )
        made_by = (
            f"start: {trained.get('start', 'unknown')}; trained to tell generated {what} and to\n"
            f"  learn what cameras recorded in EXIF{_manipulated(encoder)}"
        )
    elif supervised:
        learnt = (
            "Its encoder has learnt from\nphotographs only, its classifier from "
            f"{supervised['generated']} generated faces and {supervised['photographs']}\n"
            "photographs as well: it knows the generators that it has seen."
        )
        made_by = f"start: {trained.get('start', 'unknown')}"
    elif imported:
        learnt = f"Its encoder was imported: {imported['title']}."
        made_by = f"imported from {imported['file']} (sha256 {imported['sha256'][:12]})"
    else:
        learnt = (
            f"It has learnt from photographs only: no\ngenerated {what[:-1]} was used in training, "
            "fit or calibration."
        )
        made_by = (
            f"start: {trained.get('start', 'unknown')}; trained to learn what cameras recorded in "
            f"EXIF{_manipulated(encoder)}"
        )
    return f"""{_header(parts)}# {parts.name}

{_TELLS[encoder.subject]} {learnt}

## What it is

- Encoder: {encoder.architecture}, {encoder.features} features of {_OF[encoder.subject]}
  ({encoder.takes.sides}; {made_by}).
- Scorer: {parts.scorer.words}.
- Verdict: {judge.promise()};
  p is the share of calibration photographs that are at least as unusual{counted}.

## Photographs

| | {" | ".join(columns)} |
| --- | {" | ".join("---:" for _ in columns)} |
{rows}

Where groups (photographer, album) are known, none stands in two of these sets.{sent}
{pretext}
## What it promises, and what it doesn't

- Of new photographs that resemble the calibration photographs, at most {calibration.alpha:.0%} are
  flagged, on average over calibration sets; with this one, {low:.1%} to {high:.1%} (95 % interval,
  by how many {units} calibrated it). Photographs from other cameras, other editing or other
  platforms may be flagged more often: measure it (`exiface evaluate --real ...`), and fit on your
  own photographs (`exiface fit`).
- It promises nothing about how many generated {what} it finds; measure that too.
- A low p-value says "unlike the photographs that I know", not "made by a machine". Heavy
  retouching, strong compression, paintings and masks are unlike them as well.
{_LIMITS[encoder.subject]}
- Not for decisions about people without a human who looks at the picture and its origin.
"""


def _header(parts: DetectorParts) -> str:
    """YAML, as the model cards of Hugging Face's hub begin."""
    subject = {"face": "faces", "image": "whole-images"}[parts.encoder.subject]
    return f"""---
license: {parts.provenance.get("license", "other")}
library_name: exiface
pipeline_tag: image-classification
tags:
- exiface
- onnx
- ai-generated-image-detection
- image-forensics
- {subject}
---

"""


def _manipulated(encoder: EncoderDescription) -> str:
    spots = "\n  and to spot artificially manipulated faces"
    return spots if encoder.subject == "face" else ""
