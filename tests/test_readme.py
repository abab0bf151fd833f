"""README, docs and cards quote figures, docs/architecture.md lists files; all must stay true."""

import csv
import re
import sys
from pathlib import Path

import pytest

from docs.makers import tree
from exiface.detector import Detector
from exiface.evaluation import judge, main_table

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "results"))

from quote import NOTICES, TABLES, TEXTS, filled  # noqa: E402 - a script of the results

CARDS = {"default": "default-detector.card.md", "whole-image": "whole-image.card.md"}
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
REPRODUCING = (ROOT / "docs" / "reproducing-the-paper.md").read_text("utf-8")
EXIF_RANKING = (ROOT / "docs" / "exif-ranking.md").read_text("utf-8")


def rows(name: str) -> list[dict[str, str]]:
    with (ROOT / "results" / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("name", TEXTS)
def test_tables_are_those_of_the_results(name):
    text = (ROOT / name).read_text("utf-8")
    assert filled(text) == text, "run: python results/quote.py"


@pytest.mark.parametrize(("name", "quoted"), [("default", "notice"), ("whole-image",) * 2])
def test_detectors_say_what_the_results_say(name, quoted):
    parts = Detector.load(name).parts
    assert parts.notice == NOTICES[quoted]()
    assert parts.card.endswith((ROOT / "configs" / CARDS[name]).read_text("utf-8"))


def test_every_table_is_quoted_somewhere():
    texts = "".join((ROOT / name).read_text("utf-8") for name in TEXTS)
    marks = set(re.findall(r"^<!-- ((?!end)[\w -]+) -->$", texts, flags=re.M))
    assert marks == {*TABLES, "mixture"}  # checked by itself, below


def test_the_mixture_is_as_fast_as_its_results_say():
    for row in (row for row in rows("mixture.csv") if row["unit"] != "nats"):
        value = f"{float(row['value']):.0%}" if "share of" in row["what"] else row["value"]
        assert re.search(rf"(?<![\d.]){re.escape(value)}(?![\d.])", REPRODUCING), row["what"]


def test_the_index_is_as_fast_as_its_results_say():
    index, load, _, ratio = (row["value"] for row in rows("fdf.csv"))
    for name, value in (("index", index), ("load", load), ("ratio", ratio)):
        assert f"<!-- fdf {name} -->{value}" in EXIF_RANKING


@pytest.mark.parametrize("name", ["bulk", "service"])
def test_tables_of_the_docs_are_those_of_the_results(name):
    doc = {"bulk": "a-billion-images", "service": "service"}[name]
    text = (ROOT / "docs" / f"{doc}.md").read_text("utf-8")
    for row in rows(f"{name}.csv"):
        assert f"| {row['what']} | {row['value']} {row['unit']}".rstrip() + " |" in text


def test_the_tree_of_files_is_todays():
    assert tree.in_place(ARCHITECTURE) == ARCHITECTURE, "run: python -m docs.makers.tree"


@pytest.mark.parametrize("name", ["default", "photographs-only"])
def test_the_detectors_in_the_package_carry_their_cards(name):
    source = {"default": "default-detector"}.get(name, name)
    text = (ROOT / "configs" / f"{source}.card.md").read_text("utf-8")
    card = (ROOT / "src/exiface/detector" / name / "MODEL_CARD.md").read_text("utf-8")
    assert card.endswith(text)


RESULTS = Path(__file__).parents[1] / "results" / "photographs-only.csv"


def test_the_results_are_those_of_photographs_only(shared_data):
    bench = shared_data / "bench_dev"
    sets = judge(
        Detector.load("photographs-only"),
        {"D3": bench / "D3_sdxl" / "real"},
        {"D3/sdxl": bench / "D3_sdxl" / "sdxl"},
    )
    rows = main_table(sets)
    with RESULTS.open(newline="") as stream:
        committed = {(row["kind"], row["name"]): row for row in csv.DictReader(stream)}
    for row in rows:
        expected = committed[row.kind, row.name]
        assert row.flagged == pytest.approx(float(expected["flagged"]), abs=0.02)
        if row.auc is not None:
            assert row.auc == pytest.approx(float(expected["auc"]), abs=0.002)
