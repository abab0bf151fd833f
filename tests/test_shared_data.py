"""Where the development photographs are at hand: committed figures are those of the detector."""

import csv
from pathlib import Path

import pytest

from exiface.datasets import read_records, scan
from exiface.detector import Detector
from exiface.evaluation import judge, main_table
from exiface.photos import TAG_NAMES

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


def test_camera_faces_are_found_with_their_tags(shared_data):
    folder = shared_data / "camera_faces"
    records = read_records(folder / "camera_faces.csv")
    manifest, summary = scan(folder, records=records)
    assert len(records) == summary.files >= 1000
    assert sum(map(len, summary.left_out.values())) < 0.05 * summary.files
    for name in TAG_NAMES:
        assert summary.tags[name]["present"] == len(manifest)
    for labels in (manifest.photo, manifest.group):
        pairs = set(zip(labels.tolist(), manifest.split.tolist(), strict=True))
        assert len(pairs) == len(set(labels.tolist()))
