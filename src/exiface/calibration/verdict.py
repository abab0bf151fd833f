"""From p-values to what is said of a face."""

from enum import StrEnum

from exiface.calibration.conformal import SMALL_SIDE, Calibration
from exiface.calibration.generated import GeneratedFaces


class Verdict(StrEnum):
    """What is said of a face."""

    AI_GENERATED = "ai-generated"
    UNSURE = "unsure"
    PHOTOGRAPHIC = "photographic"
    NOTHING_FOUND = "nothing-found"


def verdict_of(
    p_value: float, calibration: Calibration, generated: GeneratedFaces | None = None
) -> Verdict:
    """Say what a p-value earns.

    Args:
        p_value: of a face.
        calibration: by the photographs that it is compared with.
        generated: faces of families that training never saw; None where none were measured.

    Returns:
        "ai-generated": as unusual as at most a share alpha of photographs. "photographic": at most
        one in ten of the generated faces scores as low. "nothing-found" in its place where no
        generated faces were measured, from beta on. "unsure": none of them.

    Example:
        >>> calibration = Calibration.of(range(99))
        >>> [verdict_of(p, calibration).value for p in (0.05, 0.1, 0.2)]
        ['ai-generated', 'unsure', 'nothing-found']
        >>> known = GeneratedFaces.of([0.01] * 9 + [0.8], ["a"] * 10, [224] * 10)
        >>> [verdict_of(p, calibration, known).value for p in (0.05, 0.7, 0.8)]
        ['ai-generated', 'unsure', 'photographic']
    """
    if p_value <= calibration.alpha:
        return Verdict.AI_GENERATED
    if generated is None:
        return Verdict.NOTHING_FOUND if p_value >= calibration.beta else Verdict.UNSURE
    return Verdict.PHOTOGRAPHIC if p_value >= generated.photographic_from else Verdict.UNSURE


def earned(calibration: Calibration, generated: GeneratedFaces | None = None) -> str:
    """From which p-value on more than "unsure" is said, in words.

    Example:
        >>> earned(Calibration.of(range(99)))
        'nothing-found at p >= 0.2'
    """
    if generated is None:
        return f"{Verdict.NOTHING_FOUND.value} at p >= {calibration.beta:g}"
    small, large = (generated.compared_with(side).photographic_from for side in (1, SMALL_SIDE + 1))
    word = Verdict.PHOTOGRAPHIC.value
    return f"{word} {_from(small)}" + (
        "" if small == large else f" (crops above {SMALL_SIDE} px {_from(large)})"
    )


def _from(p_value: float) -> str:
    return "never" if p_value > 1 else f"at p >= {p_value:.2g}"
