"""Exactly one row an input, whatever happens."""

import io
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
from exiface.apps.bulk.inputs import Block
from exiface.apps.bulk.parts import finished
from exiface.apps.bulk.scoring import score_blocks
from exiface.calibration import Verdict

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
    again = exiface("score", "-o", tmp_path / "run", status=0)
    assert "5 of 5 blocks are done already" in again.err
    assert "0 images scored now" in again.out


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


def test_an_empty_tar_is_a_finished_block(tmp_path, exiface):
    tarfile.open(tmp_path / "empty.tar", "w").close()
    for expected in ("0 images", "0 images"):
        done = exiface("score", tmp_path / "empty.tar", "-o", tmp_path / "run")
        assert expected in done.out
    assert "1 of 1 blocks are done already" in done.err


@pytest.mark.parametrize("text", ["3/2", "0/2", "x", "1/", "1"])
def test_a_shard_that_is_none(exiface, tmp_path, text):
    done = exiface("score", tmp_path, "-o", tmp_path / "run", "--shard", text, status=2)
    assert "--shard must be I/N" in done.err


def test_another_detectors_parts_are_not_mixed_in(images, tmp_path, exiface, monkeypatch):
    exiface("score", images / "000.jpg", "-o", tmp_path / "run")
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
    """Eight times the images take hardly more memory: kept, their pixels would be 44 MB."""
    image = tmp_path / "small.jpg"
    Image.new("RGB", (128, 128), (120, 90, 60)).save(image)
    # Not ru_maxrss, which a process has from the one that started it.
    measure = """
import sys
from pathlib import Path
from exiface import Detector
from exiface.apps.bulk.inputs import Block
from exiface.apps.bulk.scoring import score_blocks
for last in (1, 8):
    blocks = (Block(number, (sys.argv[1],) * 128) for number in range(last))
    score_blocks(Detector.load(), blocks, Path(sys.argv[2]))
    print(*(line for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    command = [sys.executable, "-c", measure, str(image), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first, last = (int(line.split()[1]) / 1024 for line in done.stdout.splitlines() if line)
    assert len(rows(tmp_path)) == 8 * 128
    assert last < first + 25  # MB


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
    assert finished(tmp_path, "a@b") == set()
    assert {path.name for path in tmp_path.iterdir()} == kept
