import pytest

from exiface.apps.verdict_table import print_verdicts


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_a_line_a_picture_and_two_below(judge, astronaut, photos, capsys):
    results = list(judge.detect([photos / "broken.jpg", astronaut]))
    print_verdicts(results, judge)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:1]] == ["picture"]
    assert "no verdict" in lines[1]
    assert "standard input" in lines[2]
    assert lines[3] == ""
    assert lines[4].startswith("2 pictures: ")
    assert len(lines) == 6
    assert all(len(line) <= 80 for line in lines[:5])


def test_a_single_picture_has_its_details(judge, astronaut, capsys):
    print_verdicts(list(judge.detect(astronaut)), judge)
    said = " ".join(capsys.readouterr().out.split())
    assert "photographs look this unusual" in said or "photographs looks this unusual" in said
    assert "The file says nothing of its origin." in said
    assert judge.parts.notice.split(".")[0] in said
    assert "1 picture: 1 " in said


@pytest.mark.parametrize(
    ("fail_on", "status"), [("unreadable", 1), ("no-face", 1), ("flagged", 1), ("never", 0)]
)
def test_exit_statuses_for_scripts(exiface, photos, fail_on, status):
    assert exiface("detect", photos / "broken.jpg", "--fail-on", fail_on).status == status


def test_pictures_are_not_fetched(exiface):
    assert "not fetched" in exiface("detect", "https://example.org/a.jpg", status=2).err
