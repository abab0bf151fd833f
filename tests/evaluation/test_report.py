import csv
import json
import re

import numpy as np

from exiface.evaluation.plots import tippett
from exiface.evaluation.report import summary


def test_every_table_is_written_and_says_the_same_in_json(report_folder, report):
    values = json.loads((report_folder / "report.json").read_text())
    assert set(values["tables"]) == {
        *("figures", "sweep", "false-alarms", "audit", "evidence"),
        *("own-photographs", "against"),
    }
    for name, rows in values["tables"].items():
        with (report_folder / f"{name}.csv").open(newline="") as stream:
            written = list(csv.DictReader(stream))
        assert len(written) == len(rows)
        for row, line in zip(rows, written, strict=True):
            assert {key: "" if value is None else str(value) for key, value in row.items()} == line


def test_the_page_stands_alone_and_is_escaped(report_folder):
    page = (report_folder / "index.html").read_text()
    assert "<b>&" not in page
    assert "&lt;b&gt;&amp;" in page
    assert "Mind &lt;this&gt;." in page
    without_names = page.replace("http://www.w3.org", "")
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?!data:|#)", without_names)
    assert "<script" not in page
    assert page.count("<svg") == page.count("</svg>") == 7


def test_what_separates_the_classes_is_said_first(report_folder, report):
    assert {(leak.fake, leak.trait) for leak in report.leaks} == {
        ("A/two", trait) for trait in ("format", "chroma subsampling", "JPEG quality")
    }
    page = (report_folder / "index.html").read_text()
    assert page.index("A/two: format alone reaches 1.00") < page.index("Generated faces</h2>")


def test_the_summary_says_what_the_tables_say(report):
    said = " ".join(summary(report))
    rows = {row.name: row for row in report.rows}
    mean = (rows["A/one"].auc + rows["A/two"].auc) / 2
    for part in (
        f"mean AUC of {mean:.2f}; the lowest is {rows['A/two'].auc:.2f} on A/two",
        "on 2 sets of photographs; nowhere is it broken beyond chance",
        "(blur 1)",
    ):
        assert part in said
    costs = np.mean([row.cllr for row in report.evidence if row.kind == "fake"])
    assert f"likelihood ratios cost {costs:.2f} bits on average over 2 sets" in said
    assert "separates the classes of A/two" in said


def test_pictures_are_the_same_for_the_same_figures(report_sets):
    assert tippett(report_sets) == tippett(report_sets)
