"""What the default recipe finds of what it has never seen: families, collections, whole sources.

    make left-out DATA=<folder that holds faces_of_both/, windows_of_both/, bench_dev/ ...>

trains the network of the settings default-detector three times, each time without a third of the
families of generators, a third of the sources of photographs and further collections of families
that it knows (results/turns.py), and measures each network on what it was not shown, as faces and
as whole pictures, as handed over and after a messenger. A photograph is judged by the sources that
are left beside its own, a generated picture by all that the network hasn't seen. Trainings that are
done are left as they are. Writes

    results/left-out.csv               families, collections and kinds of photographs
    results/left-out-sources.csv       photographs, source by source
    results/left-out-calibrations.csv  three ways to calibrate, at the promised 5 % and 1 %
    results/left-out-faces.csv         p-values of generated faces, for `exiface fit --generated`:
                                       of families never seen, and of known ones (known = 1)
    results/left-out-pictures.csv      likewise of whole pictures

Without DATA's pictures: python results/left_out.py DATA summarise, of scores in runs/turns/.
"""

import csv
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from common import write
from numpy.typing import NDArray
from turns import TURNS, WINDOWS

from exiface.calibration import Calibration, GeneratedFaces, Judge, Verdict
from exiface.calibration.conformal import Reference
from exiface.datasets import Manifest
from exiface.datasets.sampling import families_of
from exiface.detector.encoding import saved_again, shrunk
from exiface.detector.fitting import read_classifier
from exiface.encoders import EncoderFolder
from exiface.evaluation.metrics import clopper_pearson, measure
from exiface.photos.alterations import altered
from exiface.threads import ordered_map

WORK = Path("runs/turns")
START = Path("runs/data/mobilenet_v2-b0353104.pth")
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
_FEWEST = 5  # pictures of a family or source that get a row of their own
Scores = dict[str, NDArray]


def train(turn: str) -> None:
    """Train the network of a turn, if it isn't there, and make its encoder of whole images."""
    run = WORK / turn
    command = [sys.executable, "-m", "exiface", "train", "--init", str(START)]
    command += ["--config", "default-detector", "--output", str(run)]
    subprocess.run([*command, "--data", str(WORK / f"{turn}.parquet")], check=True)
    if not (run / "windows" / "encoder.onnx").exists():
        made = ["configs/as_windows.py", str(run), str(run / "windows")]
        subprocess.run([sys.executable, *made], check=True)


def subject_of(path: str) -> str:
    """Which of the SUBJECTS a row of a manifest is, by its path below the data."""
    folder, _, rest = path.partition("/")
    if folder in WINDOWS:
        return "pictures"
    native = folder.endswith("_native") or rest.split("/")[0].endswith("_native")
    return "faces, own pixels" if native else "faces"


def score(turn: str) -> Iterator[Scores]:
    """Score what a turn keeps: as faces and as pictures, after each of the chains."""
    kept = Manifest.read(WORK / f"{turn}-kept.parquet")
    subjects = np.array([subject_of(str(path)) for path in kept.path])
    for of_faces in (True, False):
        folder = WORK / turn if of_faces else WORK / turn / "windows"
        files = EncoderFolder.read(folder)
        encoder = files.open(threads=1)
        classifier = read_classifier(files)
        rows = kept.select((subjects != "pictures") == of_faces)

        def features(
            way: Callable[[NDArray, np.random.Generator], NDArray],
            rows: Manifest = rows,
            encoder=encoder,
        ) -> NDArray:
            def encoded(row: int) -> NDArray:
                pixels = rows.read_pixels(row)
                changed = way(pixels, np.random.default_rng((_SEED, row)))
                scale = changed.shape[0] / pixels.shape[0]
                box = tuple(scale * side for side in rows.face_box(row))
                return encoder.encode([encoder.inputs(changed, box)])[0]

            return np.stack(list(ordered_map(encoded, range(len(rows)))))

        ways = {chain: _altered(name) for chain, name in CHAINS.items()}
        if not of_faces:  # the forms in which pictures calibrate
            ways |= {"saved again": saved_again, "shrunk": shrunk}
        for chain, way in ways.items():
            yield {
                "score": classifier.score(features(way)),
                "chain": np.full(len(rows), chain),
                "subject": np.array([subject_of(str(path)) for path in rows.path]),
                "source": rows.source,
                "why": rows.split,
                "turn": np.full(len(rows), turn),
            }


def _altered(name: str) -> Callable[[NDArray, np.random.Generator], NDArray]:
    return lambda pixels, _: altered(pixels, name)


def scored(turn: str) -> Scores:
    """The scores of a turn, read where they were made before."""
    path = WORK / turn / "kept-scores.npz"
    if not path.exists():
        parts = list(score(turn))
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        np.savez(path, **columns)
    with np.load(path) as file:
        return dict(file)


def p_values(scores: Scores) -> NDArray[np.float64]:
    """The p-value of each row of a turn: photographs without their own source, others by all."""
    found = np.full(len(scores["score"]), np.nan)
    pictures = scores["subject"] == "pictures"
    photographs = scores["why"] == "calibration"
    forms = np.isin(scores["chain"], ("as handed over", "saved again", "shrunk"))
    for of_pictures in (False, True):
        mine = pictures == of_pictures
        calibrates = (
            mine & photographs & (forms if of_pictures else scores["chain"] == "as handed over")
        )

        def calibration(rows: NDArray[np.bool_]) -> Calibration:
            return Calibration.of(
                scores["score"][rows], sources=scores["source"][rows], forms=scores["chain"][rows]
            )

        others = mine & ~photographs
        found[others] = calibration(calibrates).p_value(scores["score"][others])
        for source in set(scores["source"][mine & photographs].tolist()):
            own = mine & photographs & (scores["source"] == source)
            rest = calibrates & (scores["source"] != source)
            found[own] = calibration(rest).p_value(scores["score"][own])
    return found


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


def mean_of_groups(values: NDArray, groups: NDArray) -> tuple[float, float, float]:
    """A mean over groups that weigh the same, and its 95 % interval over groups drawn anew."""
    means = np.array([values[groups == group].mean() for group in np.unique(groups)])
    drawn = np.random.default_rng(_SEED).integers(0, len(means), (_REPLICATES, len(means)))
    low, high = np.quantile(means[drawn].mean(axis=1), (0.025, 0.975))
    return float(means.mean()), float(low), float(high)


def summarise(data: Path) -> None:
    turns = [scored(turn) for turn in TURNS if (WORK / turn / "encoder.onnx").exists()]
    every = {name: np.concatenate([turn[name] for turn in turns]) for name in turns[0]}
    every["p"] = np.concatenate([p_values(turn) for turn in turns])
    generated = every["why"] != "calibration"
    of_sheets = np.char.endswith(every["source"], SHEETS[0]) | np.char.endswith(
        every["source"], SHEETS[1]
    )
    every["why"] = np.where(generated & of_sheets, "sheets", every["why"])
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
            Calibration.of(range(99)), GeneratedFaces.of(every["p"][rows], names[rows])
        )
        further = (
            handed
            & (every["why"] == "validation")
            & ((every["subject"] == "pictures") == of_pictures)
        )
        write(
            [
                {"family": f, "p_value": p, "known": int(known)}
                for which, known in ((rows, False), (further, True))
                for f, p in zip(names[which], every["p"][which], strict=True)
            ],
            Path(f"results/left-out-{file}.csv"),
        )
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
                    if chosen.sum() < _FEWEST:
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
    if several:  # each family, or source, weighs the same
        share, low, high = mean_of_groups(flagged, groups[rows])
    else:
        share = float(flagged.mean())
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
        "unsure": float((verdicts == Verdict.UNSURE).mean()),
        "photographic": float((verdicts == Verdict.PHOTOGRAPHIC).mean()),
    }


def of_sources(
    every: Scores, generated: NDArray[np.bool_], data: Path
) -> Iterator[dict[str, float | int | str]]:
    known = kinds(data)
    for subject in SUBJECTS:
        mine = (every["subject"] == subject) & (every["chain"] == "as handed over") & ~generated
        for source in sorted(set(every["source"][mine].tolist())):
            p = every["p"][mine & (every["source"] == source)]
            if len(p) >= _FEWEST:
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
                        p = by_way(way, turn["score"][rest], turn["source"][rest])(
                            turn["score"][own]
                        )
                        shares[source] = float((p <= alpha).mean()), int(own.sum())
                    never = mine & (turn["why"] == "fit")
                    p = by_way(way, turn["score"][photographs], turn["source"][photographs])
                    found.append((p(turn["score"][never]) <= alpha).mean())
                rates = np.array([rate for rate, _ in shares.values()])
                counts = np.array([count for _, count in shares.values()])
                large = counts >= _FEWEST
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


def by_way(way: str, scores: NDArray, sources: NDArray) -> Callable[[NDArray], NDArray]:
    """A p-value of some kind: (scores to be judged) -> p-values."""
    numbers = np.unique(sources, return_inverse=True)[1]
    counts = np.bincount(numbers)
    order = np.argsort(scores)
    scores, numbers = scores[order], numbers[order]
    if way == "largest over sources":
        groups = [scores[numbers == n] for n in range(len(counts)) if counts[n] >= 38]
        groups.append(scores[counts[numbers] < 38])  # the small ones together
        each = [Reference.of(g, np.ones(len(g)), len(g)) for g in groups if len(g)]
        return lambda new: np.max([reference.p_value(new) for reference in each], axis=0)
    if way == "pooled":
        return Reference.of(scores, np.ones(len(scores)), len(scores)).p_value
    return Reference.of(scores, 1 / counts[numbers], len(counts)).p_value


def main(data: Path, only: str = "") -> None:
    if only != "summarise":
        for turn in TURNS:
            train(turn)
    summarise(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
