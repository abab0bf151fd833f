"""Calibrate photographs-only on photographs of all sources, and measure it on them and on families.

    python results/photographs_only.py DATA FITTED OUTPUT

FITTED is the detector as it was fitted to camera photographs (configs/photographs-only.sh), DATA
the folder that holds faces_of_both/ and the others. Sources of which the benchmarks hold
photographs don't calibrate, so that what is measured there holds for sources that nobody has seen.
Ten minutes on two cores. Writes the detector OUTPUT, and results/photographs-only-unseen.csv: each
photograph judged by the sources that are left beside its own, a row a kind, and generated faces, a
row a family. Sources of a kind, and families in all, weigh the same.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import turns
from common import write
from left_out import p_values
from left_out_tables import FEWEST, figures, kind_of, kinds
from numpy.typing import NDArray
from quote import filled, photographs_only_notice

from exiface.datasets import Manifest
from exiface.datasets.sampling import families_of
from exiface.detector.calibrating import Promise, calibrate
from exiface.detector.folder import DetectorParts, read_folder, write_folder
from exiface.evaluation.metrics import measure

FOLDERS = ("camera_faces_2", "faces_of_both", "faces_of_both_2", "faces_of_both_3")
BENCHMARKS = ("bench_dev", "bench_dev_native")
OF_BENCHMARKS = ("ffhq", "unsplash", "figures", "utkface")
CARD = Path("configs/photographs-only.card.md")


def photographs() -> Manifest:
    """Those that calibrate: of camera files that neither trained nor fitted it, and all others."""
    camera = Manifest.read(Path("runs/photographs-only/manifest.parquet")).of_split("calibration")
    camera = replace(camera, source=np.char.add("camera_", camera.group))
    others = turns.data(FOLDERS)
    others = others.select(~others.generated & ~np.isin(others.source, OF_BENCHMARKS))
    return Manifest.joined([camera, others])


def mean_auc(real: NDArray, fake: NDArray, families: NDArray) -> float:
    """The mean over families of how well p-values (r,) and (f,) tell their faces."""
    each = [measure(-real, -fake[families == name]).auc for name in np.unique(families)]
    return float(np.mean(each))


def table(
    parts: DetectorParts, sources: NDArray[np.str_], families: NDArray[np.str_], data: Path
) -> Iterator[dict[str, float | int | str]]:
    """The rows, by the names that the numbers of sources and families stand for."""
    generated = parts.generated
    assert generated is not None  # noqa: S101 - they were given
    of_source, known = sources[parts.calibration.sources], kinds(data)
    of_family = families[generated.families]
    kept = {"why": "calibration", "chain": "as handed over", "subject": "faces"}
    of_photographs = p_values(
        {"score": parts.calibration.scores, "source": of_source}
        | {name: np.full(len(of_source), value) for name, value in kept.items()}
    )
    p = np.concatenate([of_photographs, generated.p_values])
    every = {"p": p, "score": -p, "turn": np.zeros(len(p))}
    groups = np.concatenate([of_source, of_family])
    names = np.array([*(kind_of(str(source), known) for source in of_source), *of_family])
    photographs = np.arange(len(p)) < len(of_source)
    for what, mine in (("photographs", photographs), ("generated", ~photographs)):
        for name in ("all", *sorted(set(names[mine].tolist()))):
            rows = mine if name == "all" else mine & (names == name)
            if rows.sum() >= FEWEST:
                found = figures(every, rows, photographs, groups, parts.judge, name == "all")
                if name == "all" and what == "generated":  # each family weighs the same
                    found["auc"] = mean_auc(p[photographs], p[rows], names[rows])
                yield {"what": what, "name": name, **found}


def main(data: Path, fitted: Path, output: Path) -> None:
    every = turns.data((*FOLDERS, *BENCHMARKS))
    generated, real = every.select(every.generated), photographs()
    parts = calibrate(
        read_folder(fitted),
        real,
        name="exiface-photographs-only",
        promise=Promise(per_camera=40),
        generated=generated,
    )
    sources, families = np.unique(real.source), np.unique(families_of(generated.source))
    assert len(sources) == parts.calibration.number_of_sources  # noqa: S101 - none was dropped
    write(list(table(parts, sources, families, data)), Path("results/photographs-only-unseen.csv"))
    card = parts.card + "\n" + filled(CARD.read_text("utf-8"))
    write_folder(replace(parts, card=card, notice=photographs_only_notice()), output)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
