"""Where the development photographs are at hand: committed figures are those of the detector."""

import csv
from pathlib import Path

import pytest

from exiface.detector import Detector
from exiface.evaluation import judge, main_table

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
        # The folder holds two thirds of the pictures that the figures were made of.
        assert row.flagged == pytest.approx(float(expected["flagged"]), abs=0.06)
        if row.auc is not None:
            assert row.auc == pytest.approx(float(expected["auc"]), abs=0.04)
