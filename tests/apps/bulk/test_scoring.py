"""Exactly one row an input, whatever happens."""

import io
import json
import os
import random
import socket
import subprocess
import sys
import tarfile
import time
from collections import Counter
from pathlib import Path

import pyarrow
import pytest
from made import write_photo
from made_processes import forked, run_exiface
from PIL import Image
from pyarrow import parquet

from exiface import Detector
from exiface.apps.bulk.inputs import Block, list_inputs, number_of_images, settled_blocks
from exiface.apps.bulk.parts import finished
from exiface.apps.bulk.scoring import score_blocks
from exiface.calibration import Verdict
from exiface.errors import UserError

MIXED = ["face", "nothing", "broken", "empty"]


@pytest.fixture(scope="module")
def images(tmp_path_factory, astronaut):
    """Eighty small images, some of them none."""
    folder = tmp_path_factory.mktemp("many")
    face = astronaut[40:200, 150:310]
    for number in range(80):
        path = folder / f"{number:03}.jpg"
        kind = MIXED[number % 10] if number % 10 < 4 else "face"
        if kind == "empty":
            path.write_bytes(b"")
            continue
        pixels = face if kind == "face" else face[:40, :40] * 0
        write_photo(path, pixels, None, quality=70 + number % 25)
        if kind == "broken":
            path.write_bytes(path.read_bytes()[:500])
    return folder


def rows(folder: Path) -> list[dict]:
    return pyarrow.concat_tables(
        [parquet.read_table(path) for path in sorted(folder.glob("part-*.parquet"))]
    ).to_pylist()


def names(found: list[dict]) -> list[str]:
    return [Path(row["path"]).name for row in found]


def test_rows_are_the_verdicts_of_detect(images, tmp_path, exiface, judge):
    done = exiface(
        "score", images, "-o", tmp_path / "run", "--block", "16", status=1
    )  # some have no verdict
    found = rows(tmp_path / "run")
    assert names(found) == [f"{number:03}.jpg" for number in range(80)]
    results = [result.as_dict() for result in judge.detect(sorted(images.iterdir()))]
    for row, expected in zip(found, results, strict=True):
        assert row["reason"] == expected.get("reason")
        faces = [
            {"unsure_because": None}
            | {k: value for k, value in face.items() if k not in ("says", "sentence")}
            for face in expected["faces"]
        ]
        assert row["faces"] == faces
        for key in ("verdict", "p_value"):
            assert row[key] == expected.get(key)
        assert (row["declares"], row["declared"]) == (expected["declares"], expected["declared"])
    counted = Counter(row["verdict"] or "no verdict" for row in found)
    commonest, number = counted.most_common(1)[0]
    assert f"80 images scored now: {number} {commonest}" in done.out
    again = exiface("score", "-o", tmp_path / "run", status=1)  # of all rows, not of today's
    assert "5 of 5 blocks are done already" in again.err
    assert "0 images scored now" in again.out
    assert f"no verdict among those scored before: {counted['no verdict']} (column" in again.out


def test_killed_at_random_twice(images, tmp_path, judge):
    """kill -9 until it gets through: every input once, and the same rows as never killed."""
    run = tmp_path / "run"
    command = ["score", str(images), "-o", str(run)]
    command += ["--block", "4", "--batch-size", "4", "--threads", "1"]  # twenty parts
    for kill in (True, True, False):
        wanted = len(list(run.glob("part-*"))) + random.randint(1, 2)
        process = forked(run_exiface, command)
        while kill and process.is_alive() and len(list(run.glob("part-*"))) < wanted:
            time.sleep(0.002)
        if kill:
            time.sleep(random.random() * 0.03)
            process.kill()
        process.join()
    assert process.exitcode == 1  # some have no verdict
    score_blocks(judge, [Block(0, tuple(map(str, sorted(images.iterdir()))))], tmp_path)
    assert rows(run) == parquet.read_table(tmp_path / "part-000000.parquet").to_pylist()
    assert not list(run.glob(".part-*"))


def test_shards_share_the_blocks(images, tmp_path, exiface):
    for part in (2, 1, 3):
        exiface("score", images, "-o", tmp_path, "--block", "16", "--shard", f"{part}/3")
    assert names(rows(tmp_path)) == [f"{number:03}.jpg" for number in range(80)]


def test_tars_and_lists(images, tmp_path, exiface, monkeypatch):
    tar = tmp_path / "shard.tar"
    with tarfile.open(tar, "w") as archive:
        for path in sorted(images.iterdir())[:12]:
            archive.add(path, path.name)
        archive.addfile(tarfile.TarInfo("readme.txt"))
    listed = f"{images / '005.jpg'}\nmissing.jpg\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(listed)))
    exiface("score", tar, "-", "-o", tmp_path / "run", status=1)
    found = rows(tmp_path / "run")
    assert [row["path"] for row in found] == [
        *(f"{tar}/{number:03}.jpg" for number in range(12)),
        str(images / "005.jpg"),
        "missing.jpg",
    ]
    assert found[-1]["reason"] == "no such file"
    assert found[0]["verdict"] in set(Verdict)


@pytest.mark.parametrize("text", ["3/2", "0/2", "x", "1/", "1"])
def test_a_shard_that_is_none(exiface, tmp_path, text):
    done = exiface("score", tmp_path, "-o", tmp_path / "run", "--shard", text, status=2)
    assert "--shard must be I/N" in done.err


def test_another_detectors_parts_are_not_mixed_in(images, tmp_path, exiface, monkeypatch):
    once = exiface("score", images / "000.jpg", "-o", tmp_path / "run", status=0)
    assert "1 image scored now: " in once.out
    assert exiface("score", "-o", tmp_path / "run").status == 0
    monkeypatch.setattr(Detector, "id", "another@1")
    done = exiface("score", "-o", tmp_path / "run", status=2)
    assert "was made by exiface-default" in done.err
    monkeypatch.undo()
    part = tmp_path / "run" / "part-000000.parquet"
    part.write_bytes(part.read_bytes()[:100])
    done = exiface("score", "-o", tmp_path / "run", status=2)
    assert "delete it to score it again" in done.err


def blocks_of(images, size, number):
    """So many blocks of so many images."""
    paths = tuple(map(str, sorted(images.iterdir())))
    return [Block(each, paths[size * each : size * each + size]) for each in range(number)]


def test_on_ray_it_is_the_same_and_ray_says_nothing(images, tmp_path, capfd, judge):
    """A local cluster of two workers against one process."""
    pytest.importorskip("ray")
    from exiface.apps.bulk.on_ray import score_on_ray

    blocks = blocks_of(images, 8, 4)
    alone, together = tmp_path / "alone", tmp_path / "together"
    alone.mkdir()
    together.mkdir()
    capfd.readouterr()
    counts = score_on_ray(None, blocks, together, workers=2)
    assert capfd.readouterr() == ("", "")
    assert counts == score_blocks(judge, blocks, alone)
    assert rows(together) == rows(alone)


def test_memory_stays_flat(tmp_path):
    """Six times the images take hardly more memory: kept, their pixels would be 39 MB."""
    image = tmp_path / "small.jpg"
    Image.new("RGB", (256, 256), (120, 90, 60)).save(image)
    # Not ru_maxrss, which a process has from the one that started it.
    measure = """
import sys
from pathlib import Path
from exiface import Detector
from exiface.apps.bulk.inputs import Block
from exiface.apps.bulk.scoring import score_blocks
for last in (1, 6):
    blocks = (Block(number, (sys.argv[1],) * 40) for number in range(last))
    score_blocks(Detector.load(), blocks, Path(sys.argv[2]))
    print(*(line for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    command = [sys.executable, "-c", measure, str(image), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first, last = (int(line.split()[1]) / 1024 for line in done.stdout.splitlines() if line)
    assert len(rows(tmp_path)) == 6 * 40
    assert last < first + 20  # MB


GONE = 2**22 + 1  # above the highest number that Linux gives a process


def test_parts_half_written_are_removed_once_nobody_writes_them(tmp_path):
    here = socket.gethostname()
    parent, own = os.getppid(), os.getpid()
    kept = {f".part-000001-{parent}-{here}.partial", f".part-000002-{GONE}-else-where.partial"}
    old = f".part-000003-{parent}-else-where.partial"
    for name in (
        *kept,
        *(old, f".part-000004-{GONE}-{here}.partial", f".part-000005-{own}-{here}.partial"),
        f".part-000006-{GONE}.partial",
    ):
        (tmp_path / name).touch()
    two_days_ago = time.time() - 2 * 24 * 60 * 60
    os.utime(tmp_path / old, (two_days_ago, two_days_ago))
    assert finished(tmp_path, "a@b") == {}
    assert {path.name for path in tmp_path.iterdir()} == kept


def empty_images(folder, names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def write_tar(path, members, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_every_kind_of_source(tmp_path, photos, scanned):
    folder = empty_images(tmp_path / "folder", ["b.jpg", "a/c.png", "notes.txt"])
    tar = write_tar(tmp_path / "shard.tar", {"x.jpg": b"1"})
    manifest = scanned[0]
    manifest.write(tmp_path / "manifest.parquet")
    other = tmp_path / "other.parquet"
    parquet.write_table(pyarrow.table({"path": ["folder/b.jpg", "folder/b.jpg"]}), other)
    listed = list(
        list_inputs(
            [*map(str, (folder, tar, tmp_path / "manifest.parquet", other)), "-"],
            ["from/stdin.jpg\n", "\n", "with space .jpg\r\n"],
        )
    )
    assert listed[:3] == [str(folder / "a" / "c.png"), str(folder / "b.jpg"), str(tar)]
    assert listed[3:63] == [str(photos / path) for path in dict.fromkeys(manifest.path)]
    assert listed[63:] == ["from/stdin.jpg", "with space .jpg"]  # folder/b.jpg is there already


@pytest.mark.parametrize(
    ("source", "reason"),
    [("gone", "no such file"), ("empty", "holds no image"), ("x.parquet", "not a Parquet file")],
)
def test_a_source_that_holds_nothing(tmp_path, source, reason):
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.parquet").write_text("no")
    with pytest.raises(UserError, match=reason):
        list(list_inputs([str(tmp_path / source)], []))


def test_blocks_are_runs_of_images_and_single_tars(tmp_path):
    names = [f"{number}.jpg" for number in range(5)]
    tar = write_tar(tmp_path / "s.tar", {})
    paths = [*names[:3], str(tar), *names[3:]]
    blocks = settled_blocks(tmp_path / "run", ["-"], paths, 2)
    expected = [("0.jpg", "1.jpg"), ("2.jpg",), (str(tar),), ("3.jpg", "4.jpg")]
    assert [block.paths for block in blocks] == expected
    assert [block.number for block in blocks] == [0, 1, 2, 3]
    assert number_of_images(blocks) is None
    assert number_of_images(blocks[:2]) == 3


def test_a_later_start_reads_the_list_back(tmp_path):
    folder = empty_images(tmp_path / "images", ["a.jpg", "b.jpg"])
    first = settled_blocks(tmp_path / "run", [str(folder)], [])
    empty_images(folder, ["0-new.jpg"])
    assert settled_blocks(tmp_path / "run", [str(folder)], [], size=1) == first
    assert settled_blocks(tmp_path / "run", [], []) == first
    with pytest.raises(UserError, match=r"belongs to a run on .*images"):
        settled_blocks(tmp_path / "run", [str(tmp_path)], [])
    with pytest.raises(UserError, match="no run to go on with"):
        settled_blocks(tmp_path / "other", [], [])
    head = json.loads((tmp_path / "run" / "inputs.jsonl").read_text().splitlines()[0])
    assert head["number"] == 2


def test_images_of_a_tar_are_streamed_and_damage_is_a_row(tmp_path):
    tar = write_tar(tmp_path / "s.tar", {"a.jpg": b"1", "a.json": b"{}", "d/b.PNG": b"2" * 5000})
    items = list(Block(0, (str(tar),)).items())
    assert [(item.path, item.source) for item in items] == [
        (f"{tar}/a.jpg", b"1"),
        (f"{tar}/d/b.PNG", b"2" * 5000),
    ]
    tar.write_bytes(tar.read_bytes()[:3000])
    *_, last = Block(0, (str(tar),)).items()
    assert last.path == str(tar)
    assert "damaged tar file" in last.reason
