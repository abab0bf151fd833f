"""The detector of whole images, on generators and photographs that it has not seen.

    make whole-image DATA=<folder that holds camera_native/, bench_scenes/ and faces_of_both/>

needs runs/data/ of configs/prepare.sh. In each turn a network is trained without some of the
generators of bench_scenes and without their relatives among the faces; it is calibrated on half of
the photographs that training never saw, and measured on those generators, on the other half, and,
in the first turn, on the crops of bench_dev_native. Every picture is judged three times: as it is,
saved again, and shrunk. Ten minutes a turn on two cores; trainings that are done are left as they
are. Writes

    results/whole-image.csv           a row a set and way: AUC, verdicts
    results/whole-image-images.csv    p-values of generated images, for `exiface fit --generated`

AUCs are against the photographs of bench_scenes that training never saw, put through the same; of
bench_dev_native, against the photographs of the generator's own set.
"""

import csv
import subprocess
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
from common import GENERATED, folder_of, write

from exiface.calibration import Verdict
from exiface.datasets import Manifest, scan
from exiface.detector.encoding import WAYS
from exiface.detector.fitting import fit
from exiface.detector.results import Judgement
from exiface.detector.whole_image import WholeImages
from exiface.evaluation.metrics import measure
from exiface.threads import ordered_map

DATA = Path("runs/data")
WORK = Path("runs/whole-image")
MANIFESTS = ("camera_native", "bench_scenes", "faces_native")
WEIGHTS = DATA / "mobilenet_v2-b0353104.pth"
TURNS = {
    "dalle3-sd21": ("dalle3_scenes", "sd21*", "sd_dalle_mixed*"),
    "deepfloyd-midjourney": ("deepfloyd_if_scenes", "midjourney6_scenes"),
    "sdxl": ("sdxl*",),
}


@dataclass(frozen=True)
class Judged:
    """Pictures of a set, judged after one of the ways.

    Attributes:
        verdicts: a picture each.
    """

    verdicts: list[Judgement]

    @property
    def scores(self) -> np.ndarray:
        return np.array([each.score for each in self.verdicts])

    def share(self, verdict: Verdict) -> float:
        return float(np.mean([each.verdict is verdict for each in self.verdicts]))


def main(data: Path, output: Path) -> None:
    rows, images = [], []
    manifest = Manifest.joined([Manifest.read(DATA / f"{name}.parquet") for name in MANIFESTS])
    for number, (turn, left_out) in enumerate(TURNS.items()):
        encoder = train(turn, left_out)
        # Half of the photographs that training never saw calibrate, on the others it is measured.
        measured = (manifest.split == "fit") & ~manifest.generated
        parts = fit(encoder, manifest.select(~measured), name=turn, as_sent=True)
        judge = WholeImages(parts)
        real = {
            source: judged(judge, manifest.select(measured & (manifest.source == source)))
            for source in np.unique(manifest.source[measured]).tolist()
        }
        # More of the scenes for AUCs, which no calibration enters.
        unseen = ~manifest.generated & np.isin(manifest.split, ("fit", "calibration"))
        scenes = judged(judge, manifest.select(unseen & (manifest.source == "scenes")))
        for source, ways in real.items():
            rows += [
                described(turn, f"photographs: {source}", way, each) for way, each in ways.items()
            ]
        for source in np.unique(manifest.source[manifest.generated]).tolist():
            if not any(fnmatchcase(source, pattern) for pattern in left_out):
                continue
            ways = judged(judge, manifest.select(manifest.source == source))
            for way, each in ways.items():
                rows.append(described(turn, source, way, each, scenes[way]))
                images += [
                    {"family": source, "side": 0, "p_value": verdict.p_value}
                    for verdict in each.verdicts
                ]
        if number == 0:
            rows += of_benchmark(judge, data / "bench_dev_native", turn)
    write(rows, output)
    with output.with_name(f"{output.stem}-images.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["family", "side", "p_value"])
        writer.writeheader()
        writer.writerows(images)


def train(turn: str, left_out: tuple[str, ...]) -> Path:
    """The encoder of a turn; trained where it isn't yet."""
    command = [
        *(sys.executable, "-m", "exiface", "train", "--config", "configs/whole-image.yaml"),
        *("--set", f"leave_out=[{', '.join(left_out)}]", "--init", WEIGHTS),
        *("--output", WORK / turn),
    ]
    for name in MANIFESTS:
        command += ["--data", DATA / f"{name}.parquet"]
    subprocess.run([str(each) for each in command], check=True)
    return WORK / turn


def judged(judge: WholeImages, manifest: Manifest) -> dict[str, Judged]:
    """The pictures of a manifest after each of the ways."""

    def verdict(row: int, way: str) -> Judgement:
        pixels = manifest.read_pixels(row)
        go = WAYS[way]
        if go is not None:
            pixels = go(pixels, np.random.default_rng(row))
        height, width = pixels.shape[:2]
        return judge.judge(judge.look(pixels), (width, height))

    return {
        way: Judged(list(ordered_map(lambda row: verdict(row, way), range(len(manifest)))))  # noqa: B023
        for way in WAYS
    }


def of_benchmark(judge: WholeImages, folder: Path, turn: str) -> list[dict[str, object]]:
    """Rows of the generators of bench_dev_native; families that training knew are among them."""
    found = {
        name: judged(judge, scan(folder / name, subject="image", fractions={"train": 1.0})[0])
        for name in {*GENERATED.values(), *map(folder_of, GENERATED)}
    }
    rows = [
        described(turn, f"bench_dev_native: {name}", way, each, found[GENERATED[name]][way])
        for name in GENERATED
        for way, each in found[folder_of(name)].items()
    ]
    for name in sorted(set(GENERATED.values())):
        title = f"photographs: bench_dev_native {name}"
        rows += [described(turn, title, way, each) for way, each in found[name].items()]
    return rows


def described(
    turn: str, name: str, way: str, each: Judged, real: Judged | None = None
) -> dict[str, object]:
    """A row of the table."""
    return {
        "turn": turn,
        "set": name,
        "way": way,
        "images": len(each.verdicts),
        "auc": "" if real is None else measure(real.scores, each.scores).auc,
        "ai-generated": each.share(Verdict.AI_GENERATED),
        "unsure": each.share(Verdict.UNSURE),
        "photographic or nothing found": each.share(Verdict.NOTHING_FOUND)
        + each.share(Verdict.PHOTOGRAPHIC),
        "too poor to compare": float(
            np.mean([verdict.unsure_because is not None for verdict in each.verdicts])
        ),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
