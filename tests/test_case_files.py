"""What docs/case-files.md shows is run, as it stands there."""

import json
import re
import shlex
import shutil
from pathlib import Path

TEXT = (Path(__file__).parents[1] / "docs" / "case-files.md").read_text("utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
]


def test_every_command_runs(exiface, photos, tmp_path, monkeypatch):
    (tmp_path / "pictures").mkdir()
    shutil.copy(photos / "0/00.jpg", tmp_path / "pictures/portrait.jpg")
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) == 6
    for line in COMMANDS:
        exiface(*shlex.split(line)[1:], status=0)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("pictures", "case.html", "case.json", "portrait.html", "portrait.json"),
        *("bare.html", "bare.json", "machine.json"),
    }
    assert "Why this verdict on face 1" in Path("portrait.html").read_text("utf-8")
    assert "data:image" not in Path("bare.html").read_text("utf-8")
    [explained] = json.loads(Path("portrait.json").read_text("utf-8"))["pictures"][0]["judged"]
    assert {"regions", "stability"} <= set(explained["explanation"])
    assert len(explained["explanation"]["regions"]) == 8

    # Every key of the machine form is described.
    told = json.loads(Path("machine.json").read_text("utf-8"))
    [picture] = told["pictures"]
    parts = (told, told["detector"], *told["detector"]["judged_by"], picture, *picture["judged"])
    described = TEXT.split("## case.json")[1]
    for part in (*parts, *picture["exif"]):
        for key in part:
            assert f"`{key}`" in described or f'"{key}"' in described, key
