import csv
import io
import json
import os
import sys
from dataclasses import replace

import pytest
from made import write_photo
from made_signed import signed
from skimage import data

from exiface.apps.verdict_table import print_verdicts
from exiface.calibration import Verdict
from exiface.detector import ImageResult, Judgement


@pytest.fixture
def folder(tmp_path, photos, astronaut, monkeypatch):
    """The four of the README: missing, broken, without a face, and a photograph."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.jpg").write_bytes((photos / "broken.jpg").read_bytes())
    write_photo(tmp_path / "landscape.png", data.coffee(), None)
    write_photo(tmp_path / "photo.jpg", astronaut)
    return tmp_path


def lines(out):
    return [json.loads(line) for line in out.splitlines()]


def test_four_rows_with_reasons(exiface, folder):
    files = ("missing.jpg", "broken.jpg", "landscape.png", "photo.jpg")
    finished = exiface("detect", *files, "--json", "--csv", "out.csv", status=1)
    missing, broken, landscape, photo = rows = lines(finished.out)
    assert tuple(row["path"] for row in rows) == files
    assert missing["reason"] == "no such file"
    assert "damaged" in broken["reason"]
    assert landscape["reason"] == "no face found"
    assert set(photo) == {
        *("schema", "path", "verdict", "p_value", "summary", "how_sure", "faces", "tags"),
        *("detector", "declares", "declares_generated", "declared"),
    }
    assert photo["schema"] == 4
    assert set(photo["faces"][0]) == {
        *("box", "score", "p_value", "side", "verdict", "says", "sentence", "likelihood_ratio")
    }
    assert set(photo["faces"][0]["likelihood_ratio"]) == {"value", "low", "high", "words"}
    assert photo["faces"][0]["verdict"] in list(Verdict)
    tags = {"aperture": 2.8, "exposure_time": 0.005, "focal_length": 50.0, "iso_speed": 100.0}
    assert photo["tags"] == tags
    with (folder / "out.csv").open(newline="") as stream:
        _, second, _, last = csv.DictReader(stream)
    assert (float(last["x0"]), float(last["iso_speed"])) == (photo["faces"][0]["box"][0], 100)
    assert (second["reason"], second["verdict"]) == (broken["reason"], "")


def test_the_subject_is_what_was_asked_for(exiface, folder):
    detect = ("detect", "landscape.png", "photo.jpg", "--json", "--subject")

    def judged(subject, status=0):
        return lines(exiface(*detect, subject, status=status).out)

    landscape, photo = judged("faces", status=1)
    assert landscape["reason"] == "no face found"
    assert "image" not in photo
    landscape, photo = judged("auto")
    assert landscape["faces"] == []
    assert set(landscape["image"]) - {"unsure_because"} == {
        *("score", "p_value", "verdict", "says", "sentence", "likelihood_ratio", "detector")
    }
    assert landscape["image"]["detector"].startswith("exiface-whole-image@")
    assert landscape["verdict"] == landscape["image"]["verdict"]
    assert "image" not in photo
    landscape, photo = judged("both")
    assert landscape["faces"] == []
    assert "too small to be compared" in photo["image"]["unsure_because"]
    assert photo["p_value"] == photo["faces"][0]["p_value"]  # it alone can be flagged
    assert "; the image as a whole: " in photo["summary"]
    _, photo = judged("image")
    assert (photo["faces"], photo["p_value"]) == ([], photo["image"]["p_value"])
    refused = exiface(*detect, "faces", "--detector", "whole-image", status=2)
    assert "looks at image, and the subject is faces" in refused.err


def test_a_table_for_people(exiface, folder):
    finished = exiface("detect", "photo.jpg", "broken.jpg", status=1)
    assert "photo.jpg" in finished.out
    assert "no verdict" in finished.out
    assert "f/2.8" not in finished.out
    assert "encoder on" not in finished.err
    assert "f/2.8, 1/200 s, 50 mm, ISO 100" in exiface("detect", "photo.jpg").out
    verbose = exiface("detect", "photo.jpg", "broken.jpg", "-v")
    assert "f/2.8" in verbose.out
    assert "encoder on CPU in float32, threads:" in verbose.err


def test_folders_globs_and_standard_input(exiface, folder, monkeypatch):
    by_folder = exiface("detect", folder, "--json")
    by_glob = exiface("detect", str(folder / "*.[jp][pn]g"), "--json")
    given = f"{folder}/photo.jpg\r\n\n{folder}/broken.jpg".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    by_input = exiface("detect", "-", "--json")
    assert len(lines(by_folder.out)) == len(lines(by_glob.out)) == 3
    assert [row["path"] for row in lines(by_input.out)] == [
        f"{folder}/photo.jpg",
        f"{folder}/broken.jpg",
    ]
    assert lines(by_input.out)[0] in lines(by_folder.out)
    picture = (folder / "photo.jpg").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(picture)))
    [by_bytes] = lines(exiface("detect", "-", "--json").out)
    assert by_bytes["faces"] == lines(by_input.out)[0]["faces"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    assert "nothing came on standard input" in exiface("detect", "-", status=2).err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("detect", "*.nothing"), "no file matches"),
        (("detect", "empty"), "holds no image"),
        (("detect", "photo.jpg", "--detector", "absent"), "exiface fit"),
        (("detect", "photo.jpg", "--batch-size", "0"), "batch-size"),
        (("detect", "photo.jpg", "--report", "case.pdf"), "NAME.html"),
        (("detect", "photo.jpg", "--title", "a case"), "--report NAME.html"),
        (("detect", "photo.jpg", "--report", "project.html"), "project.json would be replaced"),
        (("detect", "photo.jpg", "--json", "--csv", "-"), "name a file for --csv"),
        (("detect",), "IMAGE"),
        (("detect", "https://example.org/a.jpg"), "not fetched"),
        (("score", "https://example.org/a.jpg", "-o", "run"), "not fetched"),
        (("no-such-command",), "no-such-command"),
    ],
)
def test_wrong_usage_is_said_with_status_2(exiface, folder, arguments, reason):
    (folder / "empty").mkdir()
    (folder / "project.json").write_text('{"format": "of another program"}')
    finished = exiface(*arguments, status=2)
    assert reason in " ".join(finished.err.split())
    assert "another program" in (folder / "project.json").read_text()
    assert "Traceback" not in finished.err


def test_csv_on_standard_output_stands_alone(exiface, folder):
    arguments = ("detect", "photo.jpg", "broken.jpg", "--report", "case.html", "--csv")
    to_file = exiface(*arguments, "out.csv", status=1)
    assert "case file: case.html" in to_file.out
    # The second time a case file is replaced, as it is one.
    assert exiface(*arguments, "-", status=1).out == (folder / "out.csv").read_bytes().decode()
    assert not (folder / "-").exists()


def test_names_that_are_not_text(exiface, folder):
    strange = folder / os.fsdecode(b"caf\xe9.jpg")
    strange.write_bytes((folder / "photo.jpg").read_bytes())
    arguments = ("detect", strange, "--csv", "new/out.csv", "--report", "new/out.html")
    assert exiface(*arguments).status == 0
    assert b"caf\xe9.jpg" in (folder / "new" / "out.csv").read_bytes()
    assert "caf?.jpg" in (folder / "new" / "out.html").read_text("utf-8")
    assert exiface("verify", "new/out.json").status == 0
    strange.unlink()
    assert "caf?.jpg: the file is missing" in exiface("verify", "new/out.json", status=1).out


def test_output_that_cannot_be_written(exiface, folder):
    finished = exiface("detect", "photo.jpg", "--report", "photo.jpg/page.html", status=2)
    assert "photo.jpg" in finished.err
    assert "Traceback" not in finished.err


def test_what_a_file_declares_stands_beside_the_verdict(exiface, tmp_path, astronaut):
    plain = write_photo(tmp_path / "plain.jpg", astronaut)
    marked = tmp_path / "marked.jpg"
    marked.write_bytes(signed(plain.read_bytes()))
    page, table = tmp_path / "page.html", tmp_path / "table.csv"
    done = exiface("detect", plain, marked, "--json", "--report", page, "--csv", table, status=0)
    first, second = map(json.loads, done.out.splitlines())
    assert first["faces"] == second["faces"]
    assert first["declares"].startswith("The file says that a camera took it")
    line = (
        "The file says that it was made by Adobe Firefly 3 "
        "(Content Credentials, signature valid, signer unknown)."
    )
    assert second["declares"] == line
    assert (first["declares_generated"], second["declares_generated"]) == (False, True)
    assert "says generated" in exiface("detect", plain, marked).out
    assert "a camera took it" in second["contradictions"][0]
    assert line in page.read_text()
    assert page.read_text().count("The file says: generated") == 1
    with table.open(newline="") as stream:
        assert [row["declares"] for row in csv.DictReader(stream)][1] == line


def test_a_line_a_picture_and_two_below(judge, astronaut, photos, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
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
    # How sure is said in full; the beginning of a path gives way.
    longest = "moderately strong support for generated"
    monkeypatch.setattr(ImageResult, "how_sure", longest)
    results = [replace(result, path=f"{'far/' * 9}{result.path}") for result in results]
    print_verdicts(results, judge)
    lines = capsys.readouterr().out.splitlines()
    assert longest in lines[2]
    assert all(len(line) <= 80 for line in lines[:5])


def test_faces_and_the_whole_have_a_line_each(judge, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    face = Judgement((0, 0, 9, 9), 1.0, 0.01, Verdict.AI_GENERATED)
    whole = Judgement((0, 0, 9, 9), 1.0, 0.5, Verdict.NOTHING_FOUND)
    result = ImageResult("a.jpg", judge.id, (face,), whole, size=(9, 9))
    # Of two things judged, one is as unusual by chance: the picture is not flagged.
    chance = replace(result, path="b.jpg", faces=(replace(face, p_value=0.03),))
    print_verdicts([result, chance], judge)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    found = [" ".join(line.split()) for line in lines[1:6]]
    assert found == [
        "a.jpg looks AI-generated 1 in 100 photographs looks this unusual",
        "whole: nothing unusual found 5 in 10 photographs look this unusual",
        "b.jpg looks AI-generated (chance of 2 1 in 33 photographs looks this unusual",
        "verdicts can do that)",
        "whole: nothing unusual found 5 in 10 photographs look this unusual",
    ]
    assert "2 pictures: 1 AI-generated, 1 unsure." in lines
    monkeypatch.setenv("COLUMNS", "40")
    print_verdicts([result, replace(chance, path="folder/of/pictures/b.jpg")], judge)
    narrow = capsys.readouterr().out
    assert "a.jpg" in narrow
    assert "b.jpg" in narrow


def test_names_that_end_alike_are_told_apart_and_a_file_has_them_whole(
    judge, astronaut, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "80")
    [result] = judge.detect([astronaut])
    ends = "/folder/of/pictures/portrait.jpg"
    results = [replace(result, path=f"{first}{ends}") for first in ("monday", "tuesday")]
    print_verdicts(results, judge)
    said = capsys.readouterr().out
    assert "monday/folder" in said
    assert "tuesday/folder" in said
    monkeypatch.delenv("COLUMNS")
    print_verdicts(results, judge)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == [each.path for each in results]


@pytest.mark.parametrize(
    ("fail_on", "status"), [("unreadable", 1), ("no-face", 1), ("flagged", 1), ("never", 0)]
)
def test_exit_statuses_for_scripts(exiface, photos, fail_on, status):
    exiface("detect", photos / "broken.jpg", "--fail-on", fail_on, status=status)
