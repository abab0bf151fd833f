"""README and model card quote figures, and the README lists files; all must stay true."""

import csv
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
CARD = (ROOT / "configs" / "default-detector.card.md").read_text("utf-8")


def rows(name: str) -> list[dict[str, str]]:
    with (ROOT / "results" / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def cells(first: str, text: str = README) -> list[str]:
    """The cells of the table row whose first cell begins with a text."""
    [line] = [line for line in text.splitlines() if line.startswith(f"| {first} ")]
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("text", [README, CARD], ids=["README", "card"])
@pytest.mark.parametrize("name", ["D1", "D2", "D3", "D4", "R1"])
def test_false_alarm_rates_are_those_of_the_results(name, text):
    [row] = [row for row in rows("default-detector.csv") if row["name"] == name]
    flagged, low, high = (
        f"{float(row[key]):.1%}" for key in ("flagged", "flagged_low", "flagged_high")
    )
    assert cells(f"{name}:", text)[1:] == [f"{flagged} ({low} to {high})"]


@pytest.mark.parametrize("text", [README, CARD], ids=["README", "card"])
@pytest.mark.parametrize(
    "name", ["D1/stylegan1", "D2/stylegan2", "D2/stylegan3", "D3/sdxl", "D4/sd3", "of 5 fake sets"]
)
def test_aucs_and_recalls_are_those_of_the_results(name, text):
    figures = []
    for table in ("default-detector.csv", "default-detector-native.csv"):
        [row] = [row for row in rows(table) if row["name"] == name]
        figures += [f"{float(row['auc']):.2f}", f"{float(row['flagged']):.1%}"]
    assert cells("mean" if name.startswith("of") else name, text)[1:] == figures


def test_speeds_are_those_of_the_results():
    for row in rows("speed.csv"):
        assert cells(row["what"])[1:] == [
            f"{row['ours']} {row['unit']}",
            f"{row['ratio']} x",
            row["against"],
        ]


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


def test_the_detector_in_the_package_carries_the_card():
    card = (ROOT / "src/exiface/detector/default/MODEL_CARD.md").read_text("utf-8")
    assert card.endswith(CARD)
