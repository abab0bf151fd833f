import pytest

from exiface.apps.verdict_table import print_verdicts
from exiface.detector import Detector


@pytest.fixture(scope="module")
def detector():
    return Detector.load()


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_a_line_a_picture_and_two_below(detector, astronaut, photos, capsys):
    results = list(detector.detect([photos / "broken.jpg", astronaut]))
    print_verdicts(results, detector)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:1]] == ["picture"]
    assert "no verdict" in lines[1]
    assert "standard input" in lines[2]
    assert lines[3] == ""
    assert lines[4].startswith("2 pictures: ")
    assert len(lines) == 6
    assert all(len(line) <= 80 for line in lines[:5])


def test_a_single_picture_has_its_details(detector, astronaut, capsys):
    print_verdicts(list(detector.detect(astronaut)), detector)
    said = " ".join(capsys.readouterr().out.split())
    assert "photographs look this unusual" in said or "photographs looks this unusual" in said
    assert "The file says nothing of its origin." in said
    assert detector.parts.notice.split(".")[0] in said
    assert "1 picture: 1 " in said


def test_details_of_several_are_there_when_asked_for(detector, astronaut, capsys):
    results = list(detector.detect([astronaut, astronaut]))
    print_verdicts(results, detector, verbose=True)
    assert capsys.readouterr().out.count("The file says nothing of its origin.") == 2


@pytest.mark.parametrize(
    ("fail_on", "status"), [("unreadable", 1), ("no-face", 1), ("flagged", 1), ("never", 0)]
)
def test_exit_statuses_for_scripts(exiface, photos, fail_on, status):
    assert exiface("detect", photos / "broken.jpg", "--fail-on", fail_on).status == status


def test_pictures_are_not_fetched(exiface):
    asked = exiface("detect", "https://example.org/a.jpg")
    assert asked.status == 2
    assert "not fetched" in asked.err
