"""The explanation of one face as the page shows it."""

from typing import Any

from exiface.apps.explanation_page import (
    data_uri,
    enlarged,
    sign_sentence,
    spotlight,
    tag_sentence,
)
from exiface.apps.page import shares_sentence
from exiface.apps.service.uploads import Picture, RefusedError
from exiface.detector import Detector
from exiface.detector.explanation import explain
from exiface.errors import UserError


def explanation_answer(detector: Detector, picture: Picture, face: int) -> dict[str, Any]:
    """Explain the verdict on one face.

    Args:
        detector: that judges.
        picture: the image.
        face: which of its faces, largest first.

    Returns:
        As `exiface explain --json` has it, with the face and its regions as pictures (data URIs)
        and a sentence for each sign and each camera tag.

    Raises:
        RefusedError: the image can't be read or holds no such face.
    """
    try:
        explanation = explain(detector, picture.content, face=face)
    except UserError as error:
        raise RefusedError(422, "no_explanation", str(error)) from None
    return explanation.as_dict() | {
        "path": picture.name,
        "seen": data_uri(enlarged(explanation.crop)),
        "spotlight": data_uri(spotlight(explanation.crop, explanation.regions)),
        "shares": shares_sentence(explanation.face),
        "kept": explanation.kept,
        "sign_sentences": [sign_sentence(sign) for sign in explanation.signs],
        "tag_sentences": [tag_sentence(check) for check in explanation.tag_checks],
    }
