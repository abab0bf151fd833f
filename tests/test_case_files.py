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
        done = exiface(*shlex.split(line)[1:])
        assert done.status == 0, done.out + done.err
    assert {path.name for path in tmp_path.iterdir()} == {
        *("pictures", "case.html", "case.json", "portrait.html", "portrait.json"),
        *("bare.html", "bare.json", "machine.json"),
    }
    assert "Why this verdict on face 1" in Path("portrait.html").read_text("utf-8")


def test_every_key_is_described(exiface, photos, tmp_path):
    exiface("detect", photos / "0/00.jpg", "--report", tmp_path / "case.json")
    told = json.loads((tmp_path / "case.json").read_text("utf-8"))
    [picture] = told["pictures"]
    parts = (told, told["detector"], *told["detector"]["judged_by"], picture, *picture["judged"])
    described = TEXT.split("## case.json")[1]
    for part in (*parts, *picture["exif"]):
        for key in part:
            assert f"`{key}`" in described or f'"{key}"' in described, key
