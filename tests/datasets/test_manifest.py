import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exiface.datasets import Manifest, ManifestError
from exiface.photos import CameraTags


def row(number: int, **changes: object) -> dict:
    return {
        "path": f"folder/{number}.jpg",
        "photo": f"photo {number // 2}",
        "group": "",
        "camera": None,
        "source": f"source {number % 2}",
        "generated": number == 3,
        "split": "train",
        "sha256": f"{number:064x}",
        "box": [1, 2, 30 + number, 40],
        "landmarks": [[number, 1], [2, 3], [4, 5], [6, 7], [8, 9]],
        "score": 0.9,
        "tags": CameraTags(aperture=2.8, iso_speed=100 + number),
    } | changes


def manifest(root, number=6) -> Manifest:
    return Manifest.from_rows(root, [row(index) for index in range(number)])


def test_what_is_written_is_read(tmp_path):
    written = manifest(tmp_path / "photos")
    written.write(tmp_path / "m.parquet")
    read = Manifest.read(tmp_path / "m.parquet")
    assert read.root == (tmp_path / "photos").resolve()
    names = ("path", "photo", "group", "camera", "source", "split", "sha256", "generated")
    for name in (*names, "box", "landmarks", "score"):
        assert np.array_equal(getattr(read, name), getattr(written, name)), name
    assert np.array_equal(read.tags, written.tags, equal_nan=True)
    assert read.camera_tags(3) == CameraTags(aperture=2.8, iso_speed=103)


def test_the_folder_and_its_manifest_may_move_together(tmp_path):
    before = tmp_path / "before"
    before.mkdir()
    manifest(before / "photos").write(before / "m.parquet")
    before.rename(tmp_path / "after")
    read = Manifest.read(tmp_path / "after" / "m.parquet")
    assert read.file(0) == (tmp_path / "after/photos/folder/0.jpg").resolve()
    elsewhere = Manifest.read(tmp_path / "after" / "m.parquet", root=tmp_path)
    assert elsewhere.file(0) == tmp_path / "folder/0.jpg"


def test_errors_name_the_file_and_the_next_step(tmp_path):
    with pytest.raises(ManifestError, match="exiface prepare"):
        Manifest.read(tmp_path / "absent.parquet")
    (tmp_path / "text.parquet").write_text("no")
    with pytest.raises(ManifestError, match="not a readable Parquet"):
        Manifest.read(tmp_path / "text.parquet")
    pq.write_table(pa.table({"path": ["a"]}), tmp_path / "other.parquet")
    with pytest.raises(ManifestError, match="version"):
        Manifest.read(tmp_path / "other.parquet")
    manifest(tmp_path, 0).write(tmp_path / "empty.parquet")
    with pytest.raises(ManifestError, match="no face"):
        Manifest.read(tmp_path / "empty.parquet")


def test_joined_manifests_keep_their_files(tmp_path):
    first = manifest(tmp_path / "a" / "photos", 4)
    second = manifest(tmp_path / "b", 3)
    joined = Manifest.joined([first, second])
    assert joined.root == tmp_path
    assert len(joined) == 7
    assert [joined.file(row) for row in range(7)] == [
        each.file(row) for each in (first, second) for row in range(len(each))
    ]
    assert joined.counts()["generated"] == 1
    assert joined.counts()["sources"] == 2
    assert Manifest.joined([first]) is first
