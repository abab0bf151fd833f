"""What calibrating, or fitting, on a few of one's own photographs does to the false-alarm rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from exiface.calibration import Calibration, Verdict, flagged
from exiface.calibration.conformal import photographs_needed
from exiface.detector import Detector
from exiface.encoders import Encoder
from exiface.evaluation.feature_cache import FeatureCache
from exiface.evaluation.sets import REAL, ScoredSet, comparisons
from exiface.photos.alterations import ORIGINAL
from exiface.progress import Progress, no_progress
from exiface.scoring import Scorer

_OWN = 200  # photographs used of a set, at most half of it
_DRAWS = 20
_LEAST = 40  # photographs of a set, for half of them to say anything


@dataclass(frozen=True, slots=True)
class OwnRow:
    """False alarms on the rest of a set when some of its photographs are used."""

    name: str  #: of the set of photographs.
    how: str  #: "as it is", "recalibrated", or "refitted" (density and calibration, half each).
    own: int  #: photographs used; the rest is measured.
    false_alarms: float  #: share of the rest flagged at the promised rate, mean over random draws.
    low: float  #: lowest of the draws.
    high: float  #: highest of the draws.
    #: share flagged of the generated faces compared with this set; None without any.
    recall: float | None


def own_table(
    sets: Sequence[ScoredSet],
    features: dict[str, NDArray[np.float32]] | None = None,
    *,
    scorer: Scorer | None = None,
    alpha: float = 0.05,
) -> list[OwnRow]:
    """Measure the false alarms of every set of photographs that is large enough, in several rows.

    Args:
        sets: scored.
        features: "kind:name" -> (n, d) of the images of each set, NaN = no face, to refit as well.
        scorer: of the detector, to be refitted; None = nothing is refitted.
        alpha: promised rate.
    """
    rows = []
    for real in sets:
        kept = real.judged()
        needed = photographs_needed(alpha)
        if real.kind != REAL or kept.sum() < max(_LEAST, 2 * needed):
            continue
        fakes = [each.fake for each in comparisons(sets) if each.real == [real]]
        number = min(_OWN, int(kept.sum()) // 2)
        scores = real.scores[ORIGINAL][kept]
        of_fakes = [fake.scores[ORIGINAL][fake.judged()] for fake in fakes]
        rng = np.random.default_rng(0)
        orders = [rng.permutation(len(scores)) for _ in range(_DRAWS)]
        draws = [(order[:number], order[number:]) for order in orders]
        if (said := real.said()) is not None:
            found = [verdicts for fake in fakes if (verdicts := fake.said()) is not None]
            as_it_is = [(said[rest] == Verdict.AI_GENERATED).mean() for _, rest in draws]
            flags = np.concatenate([*found, np.empty(0, str)]) == Verdict.AI_GENERATED
            recall = float(flags.mean()) if found else None
            rows.append(_row(real.name, "as it is", 0, as_it_is, [recall]))
        outcomes = [_outcome(scores[mine], scores[rest], of_fakes, alpha) for mine, rest in draws]
        rows.append(_row(real.name, "recalibrated", number, *zip(*outcomes, strict=True)))
        if features is None or scorer is None or number - number // 2 < needed:
            continue
        of_real = features[f"{real.kind}:{real.name}"][kept]
        generated = [features[f"{fake.kind}:{fake.name}"][fake.judged()] for fake in fakes]
        half = number // 2
        outcomes = []
        for mine, rest in draws:
            refitted = scorer.refitted(of_real[mine[:half]])
            own, others = refitted.score(of_real[mine[half:]]), refitted.score(of_real[rest])
            of_fakes = [refitted.score(each) for each in generated]
            outcomes.append(_outcome(own, others, of_fakes, alpha))
        rows.append(_row(real.name, "refitted", number, *zip(*outcomes, strict=True)))
    return rows


def encode_sets(
    detector: Detector,
    sets: Sequence[ScoredSet],
    *,
    cropped: bool = False,
    progress: Progress = no_progress,
) -> dict[str, NDArray[np.float32]]:
    """Encode the images of each set: "kind:name" -> feature vectors (n, d).

    They are those of the largest face, or of the whole image for a detector of whole images; NaN =
    there is nothing to be judged.
    """
    whole = None if detector.judges("faces") else detector.whole
    encoder: Encoder = detector.encoder if whole is None else whole.encoder
    paths = [Path(path) for each in sets for path in each.paths]
    with TemporaryDirectory() as folder:
        faces = encoder.subject == "face" and not cropped
        cache = FeatureCache(Path(folder), encoder, detector.parts.model, find_faces=faces)
        encoded = cache.encode(paths, progress)
    names = [f"{each.kind}:{each.name}" for each in sets]
    ends = np.cumsum([len(each.paths) for each in sets])
    return dict(zip(names, np.split(encoded, ends[:-1]), strict=True))


def _outcome(
    own: NDArray[np.float64],
    rest: NDArray[np.float64],
    fakes: Sequence[NDArray[np.float64]],
    alpha: float,
) -> tuple[float, float | None]:
    """The share flagged of the rest and of the generated faces, calibrated on one's own."""
    calibration = Calibration.of(own, alpha=alpha, beta=max(alpha, 0.2))

    def share(scores: NDArray[np.float64]) -> float:
        return float(flagged(calibration.p_value(scores), alpha).mean())

    return share(rest), share(np.concatenate(fakes)) if fakes else None


def _row(
    name: str, how: str, own: int, alarms: Sequence[float], recalls: Sequence[float | None]
) -> OwnRow:
    known = [recall for recall in recalls if recall is not None]
    false_alarms = (float(np.mean(alarms)), float(np.min(alarms)), float(np.max(alarms)))
    return OwnRow(name, how, own, *false_alarms, float(np.mean(known)) if known else None)
