"""A run's figures: JSON lines for machines, TensorBoard for eyes."""

import json
from pathlib import Path
from typing import Any

from exiface.json_lines import complete_lines

METRICS_FILE = "metrics.jsonl"


class Recorder:
    """Appends figures to `metrics.jsonl` and to TensorBoard's files.

    Args:
        run: folder of the run.
        step: where the run goes on; lines of later steps, written before a kill, are dropped.
    """

    def __init__(self, run: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._path = run / METRICS_FILE
        kept = [line for line in complete_lines(self._path) if line["step"] <= step]
        self._path.write_text("".join(json.dumps(line) + "\n" for line in kept), "utf-8")
        self._board = SummaryWriter(str(run / "tensorboard"), purge_step=step + 1)

    def record(self, step: int, figures: dict[str, Any]) -> None:
        """Keep the figures of one step."""
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"step": step, **figures}) + "\n")
        for name, value in figures.items():
            if isinstance(value, float | int):
                self._board.add_scalar(name, value, step)

    def close(self) -> None:
        """Flush TensorBoard's files."""
        self._board.close()
