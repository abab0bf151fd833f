"""The pictures of the report, as SVG; readable in grey and by colour-blind people."""

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle, groupby
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from exiface.evaluation.audit import SUSPICIOUS, Finding
from exiface.evaluation.sets import REAL, ScoredSet, comparisons
from exiface.evaluation.tables import FalseAlarmRow, SweepRow
from exiface.photos.alterations import ORIGINAL

# Okabe and Ito's colours, each with its own dash and marker: none is told by hue alone.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_MARKERS = "osD^vPX"
_COLUMNS = 3
_EMBEDDED = 300  # of a set
_STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "exiface",  # the same figures give the same file
}


def roc_curves(sets: Sequence[ScoredSet]) -> str:
    """Draw a ROC curve for each set of generated faces."""
    compared = comparisons(sets)
    with _grid(len(compared), height=2.3) as (figure, axes):
        for each, axis in zip(compared, axes, strict=True):
            real, fake = each.samples()
            labels = np.repeat([0, 1], [len(real.scores), len(fake.scores)])
            alarms, recalls, _ = roc_curve(labels, np.concatenate([real.scores, fake.scores]))
            axis.plot([0, 1], [0, 1], color="#999", linewidth=0.8, linestyle=":")
            axis.plot(alarms, recalls, color=_COLOURS[0], linewidth=1.8)
            axis.fill_between(alarms, recalls, color=_COLOURS[0], alpha=0.12, linewidth=0)
            axis.text(0.97, 0.06, f"AUC {np.trapezoid(recalls, alarms):.2f}", ha="right")
            axis.set(title=each.fake.name, xlim=(0, 1), ylim=(0, 1.01), aspect="equal")
            axis.set_xticks([0, 0.5, 1])
            axis.set_yticks([0, 0.5, 1])
        figure.supxlabel("photographs flagged", fontsize=9)
        figure.supylabel("generated faces found", fontsize=9)
        return _svg(figure)


def histograms(sets: Sequence[ScoredSet]) -> str:
    """Draw the scores of each set of generated faces over those of its photographs."""
    compared = comparisons(sets)
    with _grid(len(compared), height=1.9) as (figure, axes):
        for number, (each, axis) in enumerate(zip(compared, axes, strict=True)):
            scores = [sample.scores for sample in each.samples()]
            low, high = np.quantile(np.concatenate(scores), [0.005, 0.985])
            bins = np.linspace(low, high if high > low else low + 1, 28)
            looks: Any = (
                {"color": "#bbb", "label": "photographs"},
                {"color": _COLOURS[1], "label": "generated", "histtype": "step", "linewidth": 1.6},
            )
            for values, look in zip(scores, looks, strict=True):
                shares = np.full(len(values), 1 / len(values))
                axis.hist(np.clip(values, bins[0], bins[-1]), bins, weights=shares, **look)
            axis.set(title=each.fake.name, yticks=[])
            if number == 0:
                axis.legend(fontsize=8, loc="upper right")
        figure.supxlabel("score: usual to unusual", fontsize=9)
        return _svg(figure)


def sweep_curves(rows: Sequence[SweepRow]) -> str:
    """Draw the AUC of every set under every alteration; lines join strengths of one alteration."""
    rows = [row for row in rows if row.kind != REAL]
    names = list(dict.fromkeys(row.condition for row in rows))
    families = [name if name == ORIGINAL else name.split()[0] for name in names]
    runs = [[*run] for _, run in groupby(range(len(names)), key=families.__getitem__)]
    means = {row.name for row in rows if row.kind == "mean"}
    with _figure(9.2, 4.2) as (figure, axis):
        for (name, style), dash in zip(_styles(row.name for row in rows), cycle(_DASHES)):
            aucs = {
                row.condition: row.auc for row in rows if row.name == name and row.auc is not None
            }
            bold = name in means
            for run in runs:
                places = [place for place in run if names[place] in aucs]
                axis.plot(
                    places,
                    [aucs[names[place]] for place in places],
                    linestyle="-" if bold else dash,
                    linewidth=2.4 if bold else 1.1,
                    markersize=6 if bold else 4,
                    **(style | ({"color": "black"} if bold else {})),
                    label=("mean" if bold else name) if run is runs[0] else None,
                )
        for run in runs[1:]:
            axis.axvline(run[0] - 0.5, color="#e5e5e5", linewidth=0.8, zorder=0)
        axis.axhline(0.5, color="#999", linewidth=0.8, linestyle=":")
        axis.set_xticks(range(len(names)), names, rotation=55, ha="right")
        axis.set_ylabel("AUC (0.5 = chance)")
        figure.legend(loc="outside upper center", ncols=6, fontsize=8)
        return _svg(figure)


def embedding(features: Mapping[str, NDArray[np.float32]]) -> str:
    """Draw the t-SNE of feature vectors by set, as the authors do; the first are photographs.

    Of the vectors (n, d) of each set up to 300 are drawn; NaN = no face.
    """
    from sklearn.manifold import TSNE

    rng = np.random.default_rng(0)
    drawn = {}
    for name, rows in features.items():
        usable = rows[np.isfinite(rows).all(axis=1)]
        drawn[name] = usable[rng.permutation(len(usable))[:_EMBEDDED]]
    every = np.concatenate(list(drawn.values()))
    perplexity = min(30.0, (len(every) - 1) / 3)
    places = TSNE(perplexity=perplexity, random_state=0).fit_transform(every)
    with _figure(9.2, 6.2) as (figure, axis):
        start = 0
        looks = _styles(list(drawn)[1:])
        for number, (name, rows) in enumerate(drawn.items()):
            x, y = places[start : start + len(rows)].T
            start += len(rows)
            style = {"color": "#999", "marker": "."} if number == 0 else next(looks)[1]
            axis.plot(x, y, linestyle="", markersize=4, alpha=0.75, **style, label=name)
        axis.set(xticks=[], yticks=[])
        figure.legend(loc="outside upper center", ncols=6, fontsize=8, markerscale=1.6)
        return _svg(figure)


def false_alarms(rows: Sequence[FalseAlarmRow]) -> str:
    """Draw the measured false alarms, with intervals, beside each promise."""
    promises = list(dict.fromkeys(row.promised for row in rows))
    names = list(dict.fromkeys(row.name for row in rows))
    panels = {"ncols": len(promises), "sharey": True, "squeeze": False}
    with _figure(9.2, 1.0 + 0.3 * len(names), **panels) as (figure, [axes]):
        for promised, axis in zip(promises, axes, strict=True):
            for place, name in enumerate(names):
                [row] = [each for each in rows if (each.name, each.promised) == (name, promised)]
                axis.plot([100 * row.low, 100 * row.high], [place, place], color="#555")
                axis.plot(
                    100 * row.measured,
                    place,
                    "o" if row.kept else "X",
                    color=_COLOURS[0] if row.kept else _COLOURS[1],
                    markersize=6,
                )
            axis.axvline(100 * promised, color="black", linewidth=1, linestyle="--")
            axis.set(
                title=f"promised {promised:.0%}".replace("%", " %"), ylim=(-0.6, len(names) - 0.4)
            )
            axis.set_xlim(left=0)
        axes[0].set_yticks(range(len(names)), names)
        axes[0].invert_yaxis()
        figure.supxlabel("photographs flagged, % (line: 95 % interval)", fontsize=9)
        return _svg(figure)


def calibration_plot(sets: Sequence[ScoredSet]) -> str:
    """Draw the share of photographs at or below each p-value; the diagonal is a kept promise."""
    return p_value_plot({each.name: each.p_values[ORIGINAL] for each in sets if each.kind == REAL})


def p_value_plot(p_values: Mapping[str, NDArray[np.float64]]) -> str:
    """Draw a curve for the p-values (n,) of photographs under each name; NaN = no verdict."""
    with _figure(5.2, 4.2) as (figure, axis):
        axis.plot([0, 1], [0, 1], color="#999", linestyle=":", linewidth=1)
        axis.fill_between([0, 1], [0, 1], [1, 1], color=_COLOURS[1], alpha=0.06, linewidth=0)
        axis.text(0.03, 0.94, "more false alarms than promised", color="#8a3a00", fontsize=8)
        for (name, style), dash in zip(_styles(p_values), cycle(_DASHES)):
            ordered = np.sort(p_values[name][np.isfinite(p_values[name])])
            shares = np.arange(1, len(ordered) + 1) / max(1, len(ordered))
            axis.step(
                ordered, shares, where="post", linestyle=dash, color=style["color"], label=name
            )
        axis.set(xlabel="p-value", ylabel="share of photographs at or below it")
        axis.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axis.legend(loc="lower right", fontsize=8)
        return _svg(figure)


def tippett(sets: Sequence[ScoredSet]) -> str:
    """Draw the share of each set with at least such a likelihood ratio; photographs are dotted."""
    known = {f"{each.kind}: {each.name}": each for each in sets if len(each.known_ratios())}
    with _figure(6.4, 4.2) as (figure, axis):
        axis.axvline(1, color="#999", linewidth=1)
        for name, style in _styles(known):
            ratios = np.sort(known[name].known_ratios())
            shares = 1 - np.arange(len(ratios)) / len(ratios)
            line = ":" if known[name].kind == REAL else "-"
            axis.step(ratios, shares, where="pre", linestyle=line, label=name, color=style["color"])
        axis.set(xscale="log", xlabel="likelihood ratio, generated over photographed")
        axis.set(ylabel="share with at least this ratio", ylim=(0, 1))
        figure.legend(loc="outside right upper", fontsize=8)
        return _svg(figure)


def audit_plot(findings: Sequence[Finding]) -> str:
    """Draw how well each trait alone separates the classes."""
    traits = list(dict.fromkeys(finding.trait for finding in findings))
    names = list(dict.fromkeys(finding.fake for finding in findings))
    with _figure(9.2, 1.3 + 0.28 * len(traits)) as (figure, axis):
        axis.axvspan(SUSPICIOUS, 1, color=_COLOURS[1], alpha=0.08, linewidth=0)
        axis.axvline(SUSPICIOUS, color=_COLOURS[1], linewidth=1.4)
        for number, (name, style) in enumerate(_styles(names)):
            of_set = [finding for finding in findings if finding.fake == name]
            shift = 0.5 * (number / max(1, len(names) - 1) - 0.5) if len(names) > 1 else 0
            axis.plot(
                [finding.separation for finding in of_set],
                [traits.index(finding.trait) + shift for finding in of_set],
                linestyle="",
                markersize=6,
                **style,
                label=name,
            )
        axis.set_yticks(range(len(traits)), traits)
        axis.set(
            xlim=(0.48, 1.01), xlabel="separation by this trait alone (0.5 = none, 1 = complete)"
        )
        axis.invert_yaxis()
        figure.legend(loc="outside upper center", ncols=6, fontsize=8)
        return _svg(figure)


def _styles(names: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each name once, with its colour and marker."""
    looks = zip(cycle(_COLOURS), cycle(_MARKERS), strict=False)
    for name, (colour, marker) in zip(dict.fromkeys(names), looks, strict=False):
        yield name, {"color": colour, "marker": marker}


@contextmanager
def _figure(width: float, height: float, **panels: Any) -> Iterator[tuple[Figure, Any]]:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.subplots(**panels)


@contextmanager
def _grid(panels: int, *, height: float) -> Iterator[tuple[Figure, list[Any]]]:
    rows, columns = math.ceil(panels / _COLUMNS), min(panels, _COLUMNS)
    sides = (9.2 * columns / _COLUMNS, height * rows + 0.4)
    with _figure(*sides, nrows=rows, ncols=columns, squeeze=False) as (figure, axes):
        for spare in axes.flat[panels:]:
            spare.axis("off")
        yield figure, list(axes.flat[:panels])


def _svg(figure: Figure) -> str:
    content = io.StringIO()
    figure.savefig(content, format="svg", metadata={"Date": None})
    text = content.getvalue()
    return text[text.index("<svg") :]
