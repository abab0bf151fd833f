"""README and model card quote figures, and the README lists files; all must stay true."""

import csv
import re
from pathlib import Path

import pytest

from exiface.evaluation.audit import SUSPICIOUS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
REPRODUCING = (ROOT / "docs" / "reproducing-the-paper.md").read_text("utf-8")
CARD = (ROOT / "configs" / "default-detector.card.md").read_text("utf-8")

BINARY_CARD = (ROOT / "configs" / "binary-detector.card.md").read_text("utf-8")
DEFAULT = (ROOT / "docs" / "default-detector.md").read_text("utf-8")


def rows(name: str) -> list[dict[str, str]]:
    with (ROOT / "results" / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def cells(first: str, text: str = README) -> list[str]:
    """The cells of the table row whose first cell begins with a text."""
    [line] = [line for line in text.splitlines() if line.startswith(f"| {first} ")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def interval(row: dict[str, str], keys: tuple[str, str, str], form: str) -> str:
    """A figure with the ends of its interval, as the tables write it."""
    figure, low, high = (format(float(row[key]), form) for key in keys)
    return f"{figure} ({low} to {high})"


FLAGGED = ("flagged", "flagged_low", "flagged_high")


@pytest.mark.parametrize("text", [README, CARD], ids=["README", "card"])
@pytest.mark.parametrize("name", ["D1", "D2", "D3", "D4", "R1"])
def test_false_alarm_rates_are_those_of_the_results(name, text):
    [row] = [row for row in rows("default-detector.csv") if row["name"] == name]
    assert cells(f"{name}:", text)[1:] == [interval(row, FLAGGED, ".1%")]


@pytest.mark.parametrize("text", [README, CARD], ids=["README", "card"])
@pytest.mark.parametrize(
    "name", ["D1/stylegan1", "D2/stylegan2", "D2/stylegan3", "D3/sdxl", "D4/sd3", "of 5 fake sets"]
)
def test_aucs_and_recalls_are_those_of_the_results(name, text):
    figures = []
    for table in ("default-detector.csv", "default-detector-native.csv"):
        [row] = [row for row in rows(table) if row["name"] == name]
        for key, form in (("auc", ".2f"), ("flagged", ".1%")):
            # The card gives intervals; a mean over generators has none.
            if text is CARD and row[f"{key}_low"]:
                figures.append(interval(row, (key, f"{key}_low", f"{key}_high"), form))
            else:
                figures.append(format(float(row[key]), form))
    assert cells("mean" if name.startswith("of") else name, text)[1:] == figures


@pytest.mark.parametrize(
    "condition", ["original", "JPEG 75", "resize 0.5", "messenger", "screenshot"]
)
def test_the_sweep_is_that_of_the_results(condition):
    [row] = [
        row
        for row in rows("default-detector-sweep.csv")
        if (row["condition"], row["kind"]) == (condition, "mean")
    ]
    figures = [f"{float(row['auc']):.2f}"]
    figures += [f"{float(row[key]):.1%}" for key in ("recall", "false_alarms")]
    assert cells(condition)[1:] == figures


def test_every_leak_is_told():
    told = README.split("<!-- audit -->")[1].split("<!-- end -->")[0].strip().splitlines()[2:]
    leaks = {
        (row["trait"], f"{row['fake']} from its photographs", f"{float(row['separation']):.2f}")
        for row in rows("default-detector-audit.csv")
        if float(row["separation"]) >= SUSPICIOUS
    }
    assert {tuple(cell.strip() for cell in line.strip("|").split("|")) for line in told} == leaks


def test_speeds_are_those_of_the_results():
    for row in rows("speed.csv"):
        assert cells(row["what"])[1:] == [
            f"{row['ours']} {row['unit']}",
            f"{row['ratio']} x",
            row["against"],
        ]


def test_the_mixture_is_as_fast_as_its_results_say():
    measured = {row["what"]: row["value"] for row in rows("mixture.csv")}
    shown = {
        "scikit-learn": "{fit by scikit-learn} s",
        "exiface": "{fit} s",
        "times faster": "{ratio}",
        "iterations, scikit-learn and exiface": "{iterations of scikit-learn}, {iterations}",
        "mean log-likelihood of 5,000 rows left out, against scikit-learn's": "{difference} %",
    }
    for clusters, column in (("30 clusters", 1), ("1 cluster", 2)):
        values = {
            what.removeprefix(f"{clusters}: "): value
            for what, value in measured.items()
            if what.startswith(clusters)
        }
        for first, form in shown.items():
            assert cells(first, REPRODUCING)[column] == form.format(**values)
        shares = (f"share of {step}" for step in ("expectation", "maximisation"))
        steps = [f"{float(values[share]):.0%}" for share in shares]
        steps.append(f"{float(values['share of whitening and start']):.0%}")
        assert cells("E step, M step, whitening and start", REPRODUCING)[column] == ", ".join(steps)
    peak = measured["peak memory of the process, features included"]
    assert f"Peak memory {peak} GB." in REPRODUCING


def test_the_index_is_as_fast_as_its_results_say():
    index, load, _, ratio = (row["value"] for row in rows("fdf.csv"))
    for name, value in (("index", index), ("load", load), ("ratio", ratio)):
        assert f"<!-- fdf {name} -->{value}" in REPRODUCING


@pytest.mark.parametrize("name", ["bulk", "service"])
def test_tables_of_the_docs_are_those_of_the_results(name):
    doc = {"bulk": "a-billion-images", "service": "service"}[name]
    text = (ROOT / "docs" / f"{doc}.md").read_text("utf-8")
    for row in rows(f"{name}.csv"):
        assert f"| {row['what']} | {row['value']} {row['unit']}".rstrip() + " |" in text


@pytest.mark.parametrize("text", [README, BINARY_CARD, DEFAULT], ids=["README", "card", "docs"])
def test_generators_left_out_are_those_of_the_results(text):
    for row in rows("binary-detector.csv"):
        figures = [f"{float(row['auc']):.2f}"]
        figures += [f"{float(row[key]):.1%}" for key in ("flagged", "false alarms")]
        figures.append(f"{float(row['native auc']):.2f}" if row["native auc"] else "")
        line = f"| {row['left out']} | {row['generator']} | {' | '.join(figures)} |"
        assert line in text


def test_what_was_tried_is_that_of_the_results():
    for row in rows("ablation.csv"):
        cells_ = [
            f"{float(row[mean]):.2f} ± {float(row[spread]):.2f}"
            for mean, spread in (("mean", "mean spread"), ("native mean", "native mean spread"))
        ]
        cells_ += [f"{float(row[key]):.1%}" for key in ("flagged", "highest false alarms")]
        assert f"| {row['group']} | {row['what']} | {' | '.join(cells_)} |" in DEFAULT


def test_the_comparison_is_that_of_the_results():
    for row in rows("comparison.csv"):
        figures = [
            f"{float(row[key]):.2f}"
            for key in (*(key for key in row if key.startswith("D")), "mean", "native mean")
        ]
        assert f"| {row['what']} | {' | '.join(figures)} |" in DEFAULT


def test_tags_are_ranked_as_the_results_say():
    for row in rows("default-detector-tags.csv"):
        [line] = [
            line
            for line in DEFAULT.splitlines()
            if line.startswith(f"| {row['faces of']} | {row['faces']}, {row['groups']} |")
        ]
        column = ["aperture", "exposure_time", "focal_length", "iso_speed"].index(row["tag"])
        assert line.strip("|").split("|")[2 + column].strip() == interval(
            row, ("spearman", "low", "high"), ".2f"
        )


def test_whom_false_alarms_hit_is_that_of_the_results():
    for row in rows("default-detector-fairness.csv"):
        assert (
            f"| {row['what']} | {row['third']} | {row['photographs']} | "
            f"{interval(row, FLAGGED, '.1%')} |"
        ) in CARD


def test_every_file_of_the_package_is_in_the_tree():
    listed = set(re.findall(r"([\w.-]+\.(?:py|html))\s+\S", README.split("## Files")[1]))
    existing = {
        path.name
        for folder in ("src", "benchmarks")
        for suffix in ("*.py", "*.html")
        for path in (ROOT / folder).rglob(suffix)
        if path.name != "__init__.py"
    }
    assert listed == existing


@pytest.mark.parametrize(("name", "text"), [("default", CARD), ("binary", BINARY_CARD)])
def test_the_detectors_in_the_package_carry_their_cards(name, text):
    card = (ROOT / "src/exiface/detector" / name / "MODEL_CARD.md").read_text("utf-8")
    assert card.endswith(text)
