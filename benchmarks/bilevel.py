"""A bi-level step, by which the weights of losses are learnt, against a plain one.

    python -m benchmarks.bilevel results/bilevel.csv      (make benchmarks; ten minutes)

Steps of both are timed in turn, on made crops that lie in memory; peak memory is that of a process
for each, above what it held before the first step. The released program takes the way of the last
row, with a pass forward more. In bfloat16 too, on CPUs that have instructions for it.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from statistics import median

import numpy as np
import torch

from benchmarks.table import Row, write_table
from exiface.datasets.sampling import Batch
from exiface.encoders.architectures import ARCHITECTURES
from exiface.photos import Preprocessing
from exiface.threads import keep_freed_memory
from exiface.training import read_config
from exiface.training.distributed import Process
from exiface.training.train_step import TrainStep, multiplies_bfloat16

NETWORKS = {"resnet50": 8, "own-pixels": 16}  # batch
FORMS = {
    "exact, a quarter of a batch for the primary task": "{batch: 0.25}",
    "exact, half a batch": "{batch: 0.5}",
    "exact, a whole batch": "{batch: 1.0}",
    "difference, a whole batch": "{batch: 1.0, derivative: difference}",
}
ROUNDS = 4


def made(number: int, side: int) -> Batch:
    """Crops of noise with tags; half of them manipulated."""
    rng = np.random.default_rng(0)
    return Batch(
        rng.integers(0, 256, (number, side, side, 3), np.uint8),
        rng.random((number, 7)),
        rng.integers(0, 2, (number, 8)).astype(np.int8),
        np.arange(number) % 2,
        np.zeros(number, bool),
        np.full(number, -1),
    )


def steps(network: str, precision: str, way: str) -> Callable[[], object]:
    """A step of a network that learns by a way; "" = plainly."""
    number, architecture = NETWORKS[network], ARCHITECTURES[network]
    settings = [f"architecture={network}", f"batch_size={number}", "optimizer=adamw"]
    settings += [f"precision={precision}", f"learnt_weights={way or 'null'}"]
    config = read_config(None, settings)
    takes = Preprocessing(architecture.size, largest=architecture.largest)
    train_step = TrainStep(config, takes, Process(0, 1, torch.device("cpu")))
    batch, others = made(number, architecture.size), []
    if config.learnt_weights is not None:
        others = [made(round(config.learnt_weights.batch * number), architecture.size)]
    return lambda: train_step.step(1, 1e-4, [batch], others)


def memory(what: str) -> float:
    """GB of this process, by Linux's names: VmRSS now, VmHWM at its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 2**20


def peak(network: str, precision: str, way: str) -> float:
    """GB of a process that learns, above what it held before."""
    command = [sys.executable, "-m", "benchmarks.bilevel", "--peak", network, precision, way]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main(path: Path) -> None:
    torch.set_num_threads(2)
    keep_freed_memory()
    precisions = ["float32"]
    if multiplies_bfloat16(torch.device("cpu")):
        precisions.append("bfloat16")
    rows: list[Row] = []
    for network, precision in product(NETWORKS, precisions):
        plain, held = steps(network, precision, ""), peak(network, precision, "")
        for name, way in FORMS.items():
            learning = steps(network, precision, way)
            pairs = []
            for number in range(ROUNDS + 1):
                seconds = []
                for side in (plain, learning):
                    start = time.perf_counter()
                    side()
                    seconds.append(time.perf_counter() - start)
                if number:  # the first round warms up
                    pairs.append(seconds[1] / seconds[0])
            what = f"{network}, {precision}, {name}"
            rows.append((what, f"{median(pairs):.3g}", "times a plain step"))
            memory_ratio = peak(network, precision, way) / held
            rows.append((what, f"{memory_ratio:.3g}", "times its memory"))
    write_table(rows, path)


if __name__ == "__main__":
    if sys.argv[1] == "--peak":
        torch.set_num_threads(2)
        step = steps(*sys.argv[2:])
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = memory("VmRSS")
        for _ in range(2):
            step()
        print(memory("VmHWM") - before)
    else:
        main(Path(sys.argv[1]))
