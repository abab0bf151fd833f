"""A picture of how the weights of losses moved while a network learnt: `weights.png`."""

from pathlib import Path

from exiface.json_lines import complete_lines
from exiface.training.recorder import METRICS_FILE

PICTURE_FILE = "weights.png"
_PREFIX = "weight_"
_DASHES = ("-", "--", ":", "-.")  # told apart in grey, too


def draw_weights(run: Path) -> Path:
    """Draw the weights that a run has recorded.

    Args:
        run: folder of the run.

    Returns:
        The path of the picture.
    """
    from matplotlib.figure import Figure

    lines = [line for line in complete_lines(run / METRICS_FILE) if any(map(_is_weight, line))]
    steps = [line["step"] for line in lines]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    names = [name for name in lines[-1] if _is_weight(name)] if lines else []
    for place, name in enumerate(names):
        values = [line[name] for line in lines]
        title = name.removeprefix(_PREFIX).replace("_", " ")
        axes.plot(steps, values, _DASHES[place // 10 % len(_DASHES)], label=title, linewidth=1.5)
    axes.set(xlabel="step", ylabel="weight in the loss", title="Learnt weights of the losses")
    axes.grid(visible=True, alpha=0.3)
    if names:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    path = run / PICTURE_FILE
    figure.savefig(path, dpi=120)
    return path


def _is_weight(name: str) -> bool:
    return name.startswith(_PREFIX)
