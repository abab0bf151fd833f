"""The explanation of one verdict as the page shows it."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from exiface.apps.explanation_page import (
    enlarged,
    sign_sentence,
    spotlight,
    tag_sentence,
)
from exiface.apps.service.uploads import Picture, RefusedError
from exiface.choices import Scope
from exiface.detector import Detector
from exiface.detector.explanation import explain
from exiface.errors import UserError
from exiface.html import data_uri

Answer = TypeVar("Answer")


async def in_place(places: asyncio.Semaphore, work: Callable[[], Answer]) -> Answer:
    """Run work in a thread that holds a place until it ends, even where nobody waits any more.

    Args:
        places: how many threads may run at once.
        work: that answers.

    Returns:
        Its answer.
    """
    await places.acquire()
    running = asyncio.get_running_loop().run_in_executor(None, work)

    def ended(done: asyncio.Future[Answer]) -> None:
        places.release()
        done.exception()  # whoever asked may be gone; then nobody else looks at it

    running.add_done_callback(ended)
    return await asyncio.shield(running)  # a thread can't be stopped


def explanation_answer(
    detector: Detector, picture: Picture, face: int, subject: Scope | None = None
) -> dict[str, Any]:
    """Explain the verdict on one face, or on an image as a whole.

    Args:
        detector: that judges.
        picture: the image.
        face: which of its faces, largest first.
        subject: as `explain` has it.

    Returns:
        As `exiface explain --json` has it, with what was seen and its regions as pictures (data
        URIs) and a sentence for each sign and each camera tag.

    Raises:
        RefusedError: the image can't be read or holds no such face.
    """
    try:
        explanation = explain(detector, picture.content, face=face, subject=subject)
    except UserError as error:
        raise RefusedError(422, "no_explanation", str(error)) from None
    return explanation.as_dict() | {
        "path": picture.name,
        "seen": data_uri(enlarged(explanation.crop)),
        "spotlight": data_uri(spotlight(explanation.crop, explanation.regions)),
        "shares": explanation.judged.sentence,
        "kept": explanation.kept,
        "sign_sentences": [sign_sentence(sign) for sign in explanation.signs],
        "tag_sentences": [
            tag_sentence(check, explanation.what) for check in explanation.tag_checks
        ],
    }
