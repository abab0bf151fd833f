import csv
import json

import pytest
from PIL import Image

NINE = ("data", "--layout", "nine")


@pytest.fixture(scope="module")
def folders(photos, tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluated")
    for kind in ("real", "fake"):
        (folder / kind).mkdir()
    for number in range(5):
        path = photos / f"{number % 3}" / f"{number:02}.jpg"
        (folder / "real" / path.name).write_bytes(path.read_bytes())
        image = Image.open(path).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        image.save(folder / "fake" / f"{number}.png")
    return folder


@pytest.fixture
def arguments(folders):
    return ("--real", f"A={folders / 'real'}", "--fake", f"A/x={folders / 'fake'}")


def test_a_report_with_everything(exiface, arguments, tmp_path):
    done = exiface(
        *("evaluate", *arguments, "--sweep", "-o", tmp_path / "report", "--refit"),
        *("--csv", tmp_path / "table.csv", "--against", "src/exiface/detector/default"),
        status=0,
    )
    for text in ("False alarms", "A/x", "Cllr_min", "screenshot", "+0.000", "format alone"):
        assert text in done.out
    assert f"report: {tmp_path / 'report' / 'index.html'}" in done.out
    with (tmp_path / "table.csv").open() as stream:
        assert [row["name"] for row in csv.DictReader(stream)] == ["A", "A/x"]
    values = json.loads((tmp_path / "report" / "report.json").read_text())
    assert {row["condition"] for row in values["tables"]["sweep"]} >= {"original", "JPEG 40"}
    assert "evaluate --real" in values["command"]

    scores = tmp_path / "report" / "scores.csv"
    again = exiface("evaluate", "--scores", scores, "--against", scores, "--json")
    rows = [json.loads(line) for line in again.out.splitlines()]
    figures = [row for row in rows if row["table"] == "figures"]
    assert [row["auc"] for row in figures] == [
        pytest.approx(row["auc"]) if row["auc"] is not None else None
        for row in values["tables"]["figures"]
    ]
    assert {row["table"] for row in rows} >= {"sweep", "audit", "against", "evidence"}


def test_harmonised_sets_keep_no_difference_of_form(exiface, arguments):
    done = exiface("evaluate", *arguments, "--harmonise", "--json", status=0)
    rows = [json.loads(line) for line in done.out.splitlines()]
    forms = {"format", "chroma subsampling", "JPEG quality", "EXIF", "pixels"}
    found = {row["trait"]: row["separation"] for row in rows if row["table"] == "audit"}
    assert {form: found[form] for form in forms} == dict.fromkeys(forms, 0.5)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ((), "give either folders"),
        (("--scores", "s.csv", "--real", "."), "give either folders"),
        (("--scores", "s.csv", "--sweep"), "--sweep can't go with --scores"),
        (("--real", ".", "--refit"), "-o DIR"),
        (("--real", "gone"), "gone is not a folder"),
        (("--real", "A=src", "--real", "A=tests"), "two sets are called 'A'"),
        (("data", "--real", "."), "DATA can't go with --real"),
        ((*NINE, "--real", "."), "give either folders"),
        (NINE, "--layout needs --encoder, -o as well"),
        ((*NINE, "--encoder", "e", "-o", "r", "--sweep"), "--sweep can't go with --layout"),
        ((*NINE, "--encoder", "e", "-o", "r"), "data is not a folder"),
    ],
)
def test_wrong_usage_is_said_in_one_line(exiface, wrong, said):
    done = exiface("evaluate", *wrong, status=2)
    assert said in done.err
    assert done.err.count("\n") == 1
