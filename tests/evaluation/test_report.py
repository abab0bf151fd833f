import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from made_sets import calibrated

from exiface.calibration import Calibration
from exiface.evaluation.audit import Traits
from exiface.evaluation.plots import tippett
from exiface.evaluation.report import Report, summary, write_report
from exiface.evaluation.tables import against_table


def traits(n, **changed):
    usual = {"file_format": "JPEG", "width": 256, "height": 256, "quality": 90}
    usual |= {"subsampling": "4:2:0", "exif": False, "bytes_per_pixel": 0.3}
    usual |= {"brightness": 99.0, "saturation": 20.0, "sharpness": 5.0} | changed
    return [Traits(**usual)] * n


@pytest.fixture(scope="module")
def sets():
    rng = np.random.default_rng(0)
    calibration = Calibration.of(rng.normal(size=300))

    def made(kind, name, mean, **changed):
        scores = rng.normal(mean, 1, 120)
        more = {"JPEG 60": scores - 0.1, "blur 1": rng.normal(0, 1, 120)}
        more |= {"traits": traits(120, **changed)}
        ratios = np.exp(2 * scores - 2)
        return replace(calibrated(kind, name, scores, calibration, **more), ratios=ratios)

    return [
        made("real", "A", 0),
        made("real", "<b>&", 0),
        made("fake", "A/one", 2),
        made("fake", "A/two", 1, file_format="PNG", quality=None, subsampling=""),
    ]


@pytest.fixture(scope="module")
def report(sets):
    return Report.of(
        sets,
        title="detector@1",
        command="exiface evaluate",
        against=against_table(sets, sets),
        other="<other>",
        notice="Mind <this>.",
    )


@pytest.fixture(scope="module")
def folder(report, sets, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    assert write_report(report, sets, folder) == folder / "index.html"
    return folder


def test_every_table_is_written_and_says_the_same_in_json(folder, report):
    values = json.loads((folder / "report.json").read_text())
    assert set(values["tables"]) == {
        *("figures", "sweep", "false-alarms", "audit", "evidence"),
        *("own-photographs", "against"),
    }
    for name, rows in values["tables"].items():
        with (folder / f"{name}.csv").open(newline="") as stream:
            written = list(csv.DictReader(stream))
        assert len(written) == len(rows)
        for row, line in zip(rows, written, strict=True):
            assert {key: "" if value is None else str(value) for key, value in row.items()} == line


def test_the_page_stands_alone_and_is_escaped(folder):
    page = (folder / "index.html").read_text()
    assert "<b>&" not in page
    assert "&lt;b&gt;&amp;" in page
    assert "Mind &lt;this&gt;." in page
    without_names = page.replace("http://www.w3.org", "")
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?!data:|#)", without_names)
    assert "<script" not in page
    assert page.count("<svg") == page.count("</svg>") == 7


def test_what_separates_the_classes_is_said_first(folder, report):
    assert {(leak.fake, leak.trait) for leak in report.leaks} == {
        ("A/two", trait) for trait in ("format", "chroma subsampling", "JPEG quality")
    }
    page = (folder / "index.html").read_text()
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


def test_pictures_are_the_same_for_the_same_figures(sets):
    assert tippett(sets) == tippett(sets)
