"""The tables of `make left-out`, of the scores of what each turn kept from training."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from common import write
from numpy.typing import NDArray

from exiface.calibration import Calibration, GeneratedFaces, Judge, Verdict
from exiface.calibration.conformal import Reference
from exiface.datasets.sampling import families_of
from exiface.evaluation.metrics import clopper_pearson, measure

CHAINS = {"as handed over": "original", "messenger": "messenger"}
SUBJECTS = ("faces", "faces, own pixels", "pictures")
WHAT = {
    "fit": "never seen",
    "sheets": "never seen, sample sheets",
    "validation": "further collection",
    "calibration": "photographs",
}
# One maker's sample sheets: the same prompts for each model, of which other models have trained the
# network. What is found of them says little of kinds never seen, and is counted apart.
SHEETS = ("models_of_many", "sdsamples")
_SEED = 0
_REPLICATES = 2000
FEWEST = 5  # pictures of a family or source that get a row of their own
Scores = dict[str, NDArray]


_SIDES = {  # columns of the size of the picture that a window was cut from
    "windows_of_both/manifest.csv": ("source_width", "source_height"),
    "camera_native/camera_native.csv": ("width", "height"),
    "bench_scenes/manifest.csv": ("source_width", "source_height"),
    "bench_scenes_2/manifest.csv": ("source_width", "source_height"),
}


def sides(paths: Iterable[str], data: Path) -> NDArray[np.int64]:
    """The shorter sides (n,) in px of the pictures that windows were cut from."""
    found = {}
    for name, columns in _SIDES.items():
        with (data / name).open(newline="") as stream:
            for row in csv.DictReader(stream):
                path = f"{name.split('/')[0]}/{row['file']}"
                found[path] = min(int(row[column]) for column in columns)
    return np.array([found[path] for path in paths])


def kinds(data: Path) -> dict[str, str]:
    """What most photographs of each source are."""
    found: dict[str, Counter[str]] = {}
    for name in ("faces_of_both_3", "windows_of_both"):
        with (data / name / "manifest.csv").open(newline="") as stream:
            for row in csv.DictReader(stream):
                if row["is_generated"] == "0":
                    found.setdefault(row["folder"], Counter())[row["kind"]] += 1
    return {source: counts.most_common(1)[0][0] for source, counts in found.items()}


def kind_of(source: str, known: dict[str, str]) -> str:
    """A kind for a row of the table: of the source, or the collection that it stands for."""
    if source.startswith("camera_"):
        return "camera files"
    if source.startswith("real_s"):
        return "further sites"
    return known.get(source, source)


def of_sheets(sources: NDArray) -> NDArray[np.bool_]:
    """Which pictures are of one maker's sample sheets, by their sources."""
    names = sources.astype(str)
    return np.any([np.char.endswith(names, each) for each in SHEETS], axis=0)


def mean_of_groups(values: NDArray, groups: NDArray) -> tuple[float, float, float]:
    """A mean over groups that weigh the same, and its 95 % interval over groups drawn anew."""
    means = np.array([values[groups == group].mean() for group in np.unique(groups)])
    drawn = np.random.default_rng(_SEED).integers(0, len(means), (_REPLICATES, len(means)))
    low, high = np.quantile(means[drawn].mean(axis=1), (0.025, 0.975))
    return float(means.mean()), float(low), float(high)


def compared(turn: Scores) -> Iterator[dict[str, float | str]]:
    """What is found and flagged of a turn, a row a subject; families and sources weigh the same.

    Its p-values are `p`; sample sheets are left out.
    """
    sheets = of_sheets(turn["source"])
    flagged = turn["p"] <= 0.05
    for subject in np.unique(turn["subject"]):
        mine = (turn["chain"] == "as handed over") & (turn["subject"] == subject) & ~sheets
        photographs = mine & (turn["why"] == "calibration")
        row: dict[str, float | str] = {"subject": subject}
        for why in ("fit", "validation"):
            what, of_kind = WHAT[why], mine & (turn["why"] == why)
            families = families_of(turn["source"][of_kind])
            found = measure(turn["score"][photographs], turn["score"][of_kind])
            row[f"{what}: AUC"] = found.auc
            row[f"{what}: flagged"] = mean_of_groups(flagged[of_kind], families)[0]
        sources = turn["source"][photographs]
        yield row | {"photographs: flagged": mean_of_groups(flagged[photographs], sources)[0]}


def summarise(turns: list[Scores], data: Path) -> None:
    """Write the tables of what the turns scored, with the p-values as `p`."""
    every = {name: np.concatenate([turn[name] for turn in turns]) for name in turns[0]}
    generated = every["why"] != "calibration"
    every["why"] = np.where(generated & of_sheets(every["source"]), "sheets", every["why"])
    known_kinds = kinds(data)
    names = np.where(
        generated,
        families_of(every["source"]),
        [kind_of(str(source), known_kinds) for source in every["source"]],
    )
    handed = every["chain"] == "as handed over"
    judges = {}
    for of_pictures, file in ((False, "faces"), (True, "pictures")):
        rows = handed & (every["why"] == "fit") & ((every["subject"] == "pictures") == of_pictures)
        judges[of_pictures] = Judge(
            Calibration.of(range(99)),
            GeneratedFaces.of(every["p"][rows], names[rows]),
            photographic=not of_pictures,
        )
        further = (
            handed
            & (every["why"] == "validation")
            & ((every["subject"] == "pictures") == of_pictures)
        )
        measured = [
            {"family": f, "p_value": p, "known": int(known)}
            for which, known in ((rows, False), (further, True))
            for f, p in zip(names[which], every["p"][which], strict=True)
        ]
        if of_pictures:
            paths = np.concatenate([every["path"][rows], every["path"][further]]).tolist()
            for row, side in zip(measured, sides(paths, data).tolist(), strict=True):
                row["size"] = side
        write(measured, Path(f"results/left-out-{file}.csv"))
    rows = []
    for subject in SUBJECTS:
        judge = judges[subject == "pictures"]
        for chain in CHAINS:
            mine = (every["subject"] == subject) & (every["chain"] == chain)
            for why, what in WHAT.items():
                of_why = mine & (every["why"] == why)
                groups = every["source"] if why == "calibration" else names
                for name in ("all", *sorted(set(names[of_why].tolist()))):
                    chosen = of_why if name == "all" else of_why & (names == name)
                    if chosen.sum() < FEWEST:
                        continue
                    rows.append(
                        {"subject": subject, "chain": chain, "what": what, "name": name}
                        | figures(every, chosen, mine & ~generated, groups, judge, name == "all")
                    )
    write(rows, Path("results/left-out.csv"))
    write(list(of_sources(every, generated, data)), Path("results/left-out-sources.csv"))
    write(list(calibrations(turns)), Path("results/left-out-calibrations.csv"))


def figures(
    every: Scores,
    rows: NDArray[np.bool_],
    photographs: NDArray[np.bool_],
    groups: NDArray,
    judge: Judge,
    several: bool,
) -> dict[str, float | int | str]:
    """What is said of some pictures, and how far their scores lie from those of photographs."""
    p = every["p"][rows]
    verdicts = np.array([judge.verdict_at(each) for each in p.tolist()])
    flagged = verdicts == Verdict.AI_GENERATED
    # Of several families, or sources, each weighs the same; of one, each picture.
    weighed = groups[rows] if several else np.zeros(len(p))
    share, low, high = mean_of_groups(flagged, weighed)
    if not several:
        low, high = clopper_pearson(int(flagged.sum()), len(flagged))
    aucs = []
    for turn in np.unique(every["turn"][rows]):
        real = every["score"][photographs & (every["turn"] == turn)]
        fake = every["score"][rows & (every["turn"] == turn)]
        aucs.append((measure(real, fake).auc, len(fake)))
    values, weights = zip(*aucs, strict=True)
    return {
        "groups": len(np.unique(groups[rows])),
        "pictures": int(rows.sum()),
        "auc": float(np.average(values, weights=weights)) if (rows & ~photographs).any() else "",
        "flagged": share,
        "flagged_low": low,
        "flagged_high": high,
        "flagged_pooled": float(flagged.mean()),
        "unsure": mean_of_groups(verdicts == Verdict.UNSURE, weighed)[0],
        "photographic": mean_of_groups(verdicts == Verdict.PHOTOGRAPHIC, weighed)[0],
    }


def of_sources(
    every: Scores, generated: NDArray[np.bool_], data: Path
) -> Iterator[dict[str, float | int | str]]:
    known = kinds(data)
    for subject in SUBJECTS:
        mine = (every["subject"] == subject) & (every["chain"] == "as handed over") & ~generated
        for source in sorted(set(every["source"][mine].tolist())):
            p = every["p"][mine & (every["source"] == source)]
            if len(p) >= FEWEST:
                yield {
                    "subject": subject,
                    "source": source,
                    "kind": kind_of(source, known),
                    "photographs": len(p),
                    "flagged": float((p <= Calibration.of(range(99)).alpha).mean()),
                }


def calibrations(turns: list[Scores]) -> Iterator[dict[str, float | str]]:
    """Three ways to make a p-value, photographs without their own source each time."""
    for of_pictures in (False, True):
        for way in ("largest over sources", "pooled", "by source"):
            for alpha in (0.05, 0.01):
                shares, found = {}, []
                for turn in turns:
                    mine = ((turn["subject"] == "pictures") == of_pictures) & (
                        turn["chain"] == "as handed over"
                    )
                    photographs = mine & (turn["why"] == "calibration")
                    for source in set(turn["source"][photographs].tolist()):
                        own = photographs & (turn["source"] == source)
                        rest = photographs & ~own
                        p = by_way(way, turn["score"][rest], turn["source"][rest], alpha)(
                            turn["score"][own]
                        )
                        shares[source] = float((p <= alpha).mean()), int(own.sum())
                    never = mine & (turn["why"] == "fit") & ~of_sheets(turn["source"])
                    p = by_way(way, turn["score"][photographs], turn["source"][photographs], alpha)
                    families = families_of(turn["source"][never])
                    found.append(mean_of_groups(p(turn["score"][never]) <= alpha, families)[0])
                rates = np.array([rate for rate, _ in shares.values()])
                counts = np.array([count for _, count in shares.values()])
                large = counts >= FEWEST
                yield {
                    "subject": "pictures" if of_pictures else "faces",
                    "calibration": way,
                    "promised": alpha,
                    "photographs flagged": float(np.average(rates, weights=counts)),
                    "mean of sources": float(rates.mean()),
                    "sources": int(large.sum()),
                    **{
                        f"sources above {limit:.0%}": float((rates[large] > limit).mean())
                        for limit in (0.05, 0.08, 0.10)
                    },
                    "never seen found": float(np.mean(found)),
                }


def by_way(
    way: str, scores: NDArray, sources: NDArray, alpha: float
) -> Callable[[NDArray], NDArray]:
    """A p-value of some kind, where alpha is promised: (scores to be judged) -> p-values."""
    if way == "by source":  # what ships
        return Calibration.of(scores, sources=sources, alpha=alpha).p_value
    numbers = np.unique(sources, return_inverse=True)[1]
    counts = np.bincount(numbers)
    order = np.argsort(scores)
    scores, numbers = scores[order], numbers[order]
    if way == "largest over sources":
        groups = [scores[numbers == n] for n in range(len(counts)) if counts[n] >= 38]
        groups.append(scores[counts[numbers] < 38])  # the small ones together
        each = [Reference.of(g, np.ones(len(g)), len(g)) for g in groups if len(g)]
        return lambda new: np.max([reference.p_value(new) for reference in each], axis=0)
    return Reference.of(scores, np.ones(len(scores)), len(scores)).p_value
