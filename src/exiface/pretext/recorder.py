"""A run's figures: JSON lines for machines, TensorBoard for eyes."""

import json
from pathlib import Path
from typing import Any

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
        if self._path.exists():
            lines = [line for line in self._path.read_text("utf-8").splitlines() if _is_json(line)]
            kept = [line for line in lines if json.loads(line)["step"] <= step]
            self._path.write_text("".join(line + "\n" for line in kept), "utf-8")
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


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False  # cut short by a kill
    return True
