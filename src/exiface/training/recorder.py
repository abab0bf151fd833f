"""A run's figures: JSON lines for machines, TensorBoard and `weights.png` for eyes."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from exiface.json_lines import complete_lines

METRICS_FILE = "metrics.jsonl"
_LOG_STEPS = 10
_WEIGHT = "weight_"
_DASHES = ("-", "--", ":", "-.")  # told apart in grey, too

# Called with (steps done, steps in all, figures).
Report = Callable[[int, int, dict[str, float]], None]


class Recorder:
    """Keeps a run's figures in `metrics.jsonl` and in TensorBoard's files, and reports them.

    Lines of steps after the first, written before a kill, are dropped. Of a step's batch size, in
    pictures, the speed is computed. The report, if any, is told the figures now and then.
    """

    def __init__(
        self, run: Path, first: int, total: int, batch_size: int, report: Report | None = None
    ) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._path = run / METRICS_FILE
        kept = [line for line in complete_lines(self._path) if line["step"] <= first]
        self._path.write_text("".join(json.dumps(line) + "\n" for line in kept), "utf-8")
        self._board = SummaryWriter(str(run / "tensorboard"), purge_step=first + 1)
        self._total, self._batch_size, self._report = total, batch_size, report
        self._clock, self._clock_step = time.perf_counter(), first

    def losses(self, step: int, losses: dict[str, float], rate: float) -> None:
        """Keep losses, learning rate and speed of every tenth step and of the last."""
        if step % _LOG_STEPS and step != self._total:
            return
        seconds = time.perf_counter() - self._clock
        speed = (step - self._clock_step) * self._batch_size / seconds
        named = {f"loss_{name}": loss for name, loss in losses.items()}
        self.figures(step, named | {"learning_rate": rate, "faces_per_second": round(speed, 1)})

    def weights(self, step: int, weights: dict[str, float]) -> None:
        """Keep the weights of the losses, which are reported to nobody."""
        self._write(step, {_WEIGHT + name: each for name, each in weights.items()})

    def figures(self, step: int, figures: dict[str, float]) -> None:
        """Keep the figures of one step, and report them."""
        self._write(step, figures)
        if self._report is not None:
            self._report(step, self._total, figures)
        self._clock, self._clock_step = time.perf_counter(), step

    def close(self) -> None:
        """Flush TensorBoard's files."""
        self._board.close()

    def _write(self, step: int, figures: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"step": step, **figures}) + "\n")
        for name, value in figures.items():
            self._board.add_scalar(name, value, step)


def draw_weights(run: Path) -> None:
    """Draw how the weights of the losses moved in a run, into its `weights.png`, if they did."""
    lines = [line for line in complete_lines(run / METRICS_FILE) if _weights_of(line)]
    if not lines:
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for place, name in enumerate(_weights_of(lines[-1])):
        axes.plot(
            [line["step"] for line in lines],
            [line[name] for line in lines],
            _DASHES[place // 10 % len(_DASHES)],
            label=name.removeprefix(_WEIGHT).replace("_", " "),
            linewidth=1.5,
        )
    axes.set(xlabel="step", ylabel="weight in the loss", title="Learnt weights of the losses")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    figure.savefig(run / "weights.png", dpi=120)


def _weights_of(line: dict[str, Any]) -> list[str]:
    return [name for name in line if name.startswith(_WEIGHT)]
