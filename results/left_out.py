"""What the default recipe finds of what it has never seen: families, collections, whole sources.

    make left-out DATA=<folder that holds faces_of_both/, windows_of_both/, bench_dev/ ...>

trains the network of the settings default-detector three times, each time in three rounds
(configs/rounds.sh) and without a third of the families of generators, a third of the sources of
photographs and further collections of families that it knows (results/turns.py). It measures each
network on what it was not shown, as faces and as whole pictures, as handed over and after a
messenger. A photograph is judged by the sources that are left beside its own, a generated picture
by all that the network hasn't seen. Trainings that are done are left as they are. Writes

    results/left-out.csv               families, collections and kinds of photographs
    results/left-out-sources.csv       photographs, source by source
    results/left-out-calibrations.csv  three ways to calibrate, at the promised 5 % and 1 %
    results/left-out-faces.csv         p-values of generated faces, for `exiface fit --generated`:
                                       of families never seen, and of known ones (known = 1)
    results/left-out-pictures.csv      likewise of whole pictures; size: their shorter side in px

Without DATA's pictures: python results/left_out.py DATA summarise, of scores in runs/turns/.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from left_out_tables import CHAINS, Scores, summarise
from numpy.typing import NDArray
from turns import TURNS, WINDOWS

from exiface.calibration import Calibration
from exiface.datasets import Manifest
from exiface.detector.encoding import saved_again, shrunk
from exiface.detector.fitting import read_classifier
from exiface.encoders import EncoderFolder
from exiface.photos.alterations import altered
from exiface.threads import ordered_map

WORK = Path("runs/turns")
START = Path("runs/data/mobilenet_v2-b0353104.pth")
_SEED = 0


def train(turn: str) -> None:
    """Train the network of a turn, if it isn't there, and make encoders of it as it is used."""
    subprocess.run(["bash", "configs/rounds.sh", turn, str(START)], check=True)


def rounds(turn: str) -> list[Path]:
    """The runs of a turn's network that are done, a round of training each."""
    runs = [WORK / f"{turn}{after}" for after in ("", "-more", "-sized")]
    return [run for run in runs if (run / "encoder.onnx").exists()]


def subject_of(path: str) -> str:
    """Which subject of the tables a row of a manifest is, by its path below the data."""
    folder, _, rest = path.partition("/")
    if folder in WINDOWS:
        return "pictures"
    native = folder.endswith("_native") or rest.split("/")[0].endswith("_native")
    return "faces, own pixels" if native else "faces"


def before_the_last(turn: str) -> Path:
    """The last of a turn's runs before the round at the size in use."""
    return [run for run in rounds(turn) if not run.name.endswith("-sized")][-1]


def score(turn: str, run: Path) -> Iterator[Scores]:
    """Score what a turn keeps: as faces and as pictures, after each of the chains."""
    kept = Manifest.read(WORK / f"{turn}-kept.parquet")
    subjects = np.array([subject_of(str(path)) for path in kept.path])
    for of_faces in (True, False):
        folder = run / ("faces" if of_faces else "windows")
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
                "path": rows.path.astype(str),
                "why": rows.split,
                "turn": np.full(len(rows), turn),
            }


def _altered(name: str) -> Callable[[NDArray, np.random.Generator], NDArray]:
    return lambda pixels, _: altered(pixels, name)


def scored(turn: str, run: Path) -> Scores:
    """The scores of a turn by one of its runs, read where they were made before."""
    path = run / "kept-scores.npz"
    if not path.exists():
        parts = list(score(turn, run))
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
    for of_pictures in np.unique(pictures):
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


def main(data: Path, only: str = "") -> None:
    if only != "summarise":
        for turn in TURNS:
            train(turn)
    done = [scored(turn, rounds(turn)[-1]) for turn in TURNS if rounds(turn)]
    summarise([turn | {"p": p_values(turn)} for turn in done], data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
