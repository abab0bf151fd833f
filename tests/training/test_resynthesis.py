import numpy as np
import pytest
import torch
from PIL import Image

from exiface.datasets import read_records, scan
from exiface.training.resynthesis import RESYNTHESIS, Autoencoder, _decoder, _encoder, resynthesise


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory):
    """Of the published shape, with random weights."""
    folder = tmp_path_factory.mktemp("autoencoder")
    torch.manual_seed(0)
    for network, name in ((_encoder(), "encoder"), (_decoder(), "decoder")):
        half = {key: value.half() for key, value in network.state_dict().items()}
        torch.save(half, folder / f"taef2_{name}.pth")
    return Autoencoder(folder)


def test_sides_are_cut_to_whole_latents(autoencoder):
    face = np.random.default_rng(0).integers(0, 256, (45, 64, 3), np.uint8)
    made = autoencoder(face)
    assert made.shape == (40, 64, 3)
    assert made.dtype == np.uint8
    assert np.array_equal(made, autoencoder(face[:40]))


def test_photographs_become_generated_faces_of_the_same_photo(autoencoder, scanned, tmp_path):
    faces = scanned[0].of_split("train").select(np.arange(3))
    told = []
    records = resynthesise(
        faces, autoencoder, tmp_path / "made", progress=lambda *step: told.append(step)
    )
    assert told[-1] == (3, 3)
    files = sorted((tmp_path / "made").iterdir())
    assert sorted(record["file"] for record in records) == [path.name for path in files]
    assert {tuple(n % 8 for n in Image.open(path).size) for path in files} == {(0, 0)}
    assert [record["photo"] for record in records] == faces.photo.tolist()
    assert {record["source"] for record in records} == {RESYNTHESIS}

    before = [path.stat().st_mtime_ns for path in files]
    assert resynthesise(faces, autoencoder, tmp_path / "made") == records
    assert [path.stat().st_mtime_ns for path in files] == before

    table = tmp_path / "made.csv"
    rows = [",".join(record.values()) for record in records]
    table.write_text("\n".join([",".join(records[0]), *rows]))
    made = scan(tmp_path / "made", records=read_records(table), cropped=True)[0]
    assert made.generated.all()
    assert set(made.split.tolist()) == {"train"}


def test_the_published_weights_give_the_photograph_back(shared_data, astronaut):
    face = astronaut[60:220, 160:320]
    made = Autoencoder(shared_data / "resynthesis")(face).astype(float)
    assert np.abs(made - face).mean() < 8
    assert np.abs(made - face).max() > 10
