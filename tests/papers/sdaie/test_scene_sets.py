import numpy as np
import pytest
from PIL import Image

from exiface.errors import UserError
from exiface.papers.sdaie.scene_sets import RELEASED_NOISES, read_scene_sets


@pytest.fixture
def root(tmp_path):
    """Below a folder whose own name is a label, which must say nothing."""
    root = tmp_path / "0_real" / "data"
    for name in (
        *("stylegan2/1_fake/a.png", "stylegan2/0_real/b.png", "progan/car/0_real/c.png"),
        *("progan/car/1_fake/d.png", "progan/car/1_fake/deep/e.png", "Own/nature/f.png"),
        *("Own/ai/g.png", "Half/0_real/h.png", "realonly/lsun/i.png", "progan/loose.png"),
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 64)).save(path)
    return root


def test_sets_stand_in_the_authors_order_and_have_their_own_photographs(root):
    files = read_scene_sets(root)
    assert list(files.photographs) == ["progan", "stylegan2", "Own"]
    named = {name: "".join(path.stem for path in each) for name, each in files.fakes.items()}
    assert named == {"progan/generated": "de", "stylegan2/generated": "a", "Own/generated": "g"}
    assert files.against["Own/generated"] == "Own"
    assert [path.name for path in files.fit] == ["i.png"]
    assert "biggan" in files.missing and "progan" not in files.missing


def test_what_is_lacking_is_named(root, tmp_path):
    (root / "realonly/lsun/i.png").unlink()
    with pytest.raises(UserError, match="realonly holds no photograph"):
        read_scene_sets(root)
    with pytest.raises(UserError, match="no set with images of both labels"):
        read_scene_sets(root / "Half")
    with pytest.raises(UserError, match="is not a folder"):
        read_scene_sets(tmp_path / "gone")


FILES = {"resize": "resize05", "blur": "blur1", "jpg": "jpg95"}


def test_each_noise_is_the_released_one_to_the_pixel(shared_reference):
    pixels = np.asarray(Image.open(shared_reference / "sdaie_square_256x256.png").convert("RGB"))
    for name, file in FILES.items():
        expected = np.asarray(
            Image.open(shared_reference / f"sdaie_square_{file}.png").convert("RGB")
        )
        found = RELEASED_NOISES[name](pixels)
        if name == "jpg":  # versions of the JPEG library differ by a grey level
            assert np.abs(found.astype(int) - expected).max() <= 2
        else:
            assert np.array_equal(found, expected), name
