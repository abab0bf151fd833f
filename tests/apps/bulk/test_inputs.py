import io
import json
import tarfile

import pyarrow
import pytest
from pyarrow import parquet

from exiface.apps.bulk.inputs import Block, list_inputs, number_of_images, settled_blocks
from exiface.errors import UserError


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
