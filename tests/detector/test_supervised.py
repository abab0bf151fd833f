import numpy as np
import pytest
from made import write_photo
from sklearn.metrics import roc_auc_score

from exiface.datasets import scan
from exiface.detector.encoding import encode_faces
from exiface.detector.folder import read_folder
from exiface.detector.supervised import (
    SupervisionError,
    learn,
    learn_hidden,
    least_likely,
    supervise,
)
from exiface.encoders import EncoderFolder
from exiface.photos import read_photo


@pytest.fixture(scope="module")
def swapped(photos, tmp_path_factory):
    """The same faces with red and blue exchanged stand for what a generator makes."""
    folder = tmp_path_factory.mktemp("swapped")
    for path in sorted(photos.glob("?/*.jpg"))[:30]:
        write_photo(folder / path.name, read_photo(path).pixels[:, :, ::-1], None, quality=92)
    return folder


def test_what_is_learnt_tells_other_faces_of_the_same_kind(encoder_folder, photos, swapped):
    real = scan(photos / "0", fractions={"train": 1.0})[0]
    fake = scan(swapped, fractions={"train": 1.0})[0]
    seen, unseen = fake.select(np.arange(15)), fake.select(np.arange(15, len(fake)))
    with pytest.raises(SupervisionError, match="no face among the generated"):
        supervise(encoder_folder, [real], [])
    classifier, made_of = supervise(encoder_folder, [real], [seen], camera=real, views=2)
    assert (made_of["generated"], made_of["camera"]) == (15, len(real))
    again, _ = supervise(encoder_folder, [real], [seen], camera=real, views=2)
    for name, array in classifier.arrays().items():
        assert np.array_equal(array, again.arrays()[name])
    encoder = EncoderFolder.read(encoder_folder).open()
    others = scan(photos / "1", fractions={"train": 1.0})[0]
    scores = [classifier.score(encode_faces(encoder, faces)) for faces in (others, unseen)]
    labels = np.repeat([0, 1], [len(part) for part in scores])
    assert roc_auc_score(labels, np.concatenate(scores)) > 0.9


def test_a_hidden_layer_tells_what_no_line_can():
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (1200, 2)).astype(np.float32) * [100, 1] + [7, 0]
    inside = np.hypot((points[:, 0] - 7) / 100, points[:, 1]) < 0.5
    seen, unseen = points[:900], points[900:]
    real, fake = seen[~inside[:900]], seen[inside[:900]]
    assert len(fake) < len(real) / 2
    line = learn(real, fake, strength=1.0)
    ring = learn_hidden(real, fake, 64, seed=0)
    assert roc_auc_score(inside[900:], line.score(unseen)) < 0.7
    assert roc_auc_score(inside[900:], ring.score(unseen)) > 0.95
    again = learn_hidden(real, fake, 64, seed=0)
    assert np.array_equal(again.score(unseen), ring.score(unseen))
    # Both classes weigh the same: as many of either are on the wrong side.
    assert (ring.score(fake) > 0).mean() > 0.85


def test_the_least_likely_photographs_are_those_far_from_the_others():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(500, 5)).astype(np.float32)
    features[:25] *= 6
    assert least_likely(features, 0.04, seed=0)[:25].sum() >= 18
    assert least_likely(features, 0.04, seed=0).sum() == 20


def test_from_examples_to_a_binary_detector(encoder_folder, photos, swapped, exiface, tmp_path):
    encoder, detector = tmp_path / "encoder", tmp_path / "detector"
    learnt = exiface(
        *("supervise", "--encoder", encoder_folder, "--real", photos / "0", "--fake", swapped),
        *("--views", 2, "-o", encoder),
        status=0,
    )
    assert "30 generated faces" in learnt.out
    assert len(EncoderFolder.read(encoder).seen) == 50
    fitted = exiface("fit", "--encoder", encoder, "--photos", photos, "-o", detector, status=2)
    assert "were trained on" in fitted.err  # a third of them were, and may not calibrate it
    others = tmp_path / "others"
    for path in sorted(photos.glob("[12]/*.jpg")):
        (others / path.parent.name).mkdir(parents=True, exist_ok=True)
        (others / path.parent.name / path.name).write_bytes(path.read_bytes())
    fitted = exiface("fit", "--encoder", encoder, "--photos", others, "-o", detector, status=0)
    assert "a classifier trained on generated faces" in fitted.out
    assert "30 generated faces" in " ".join((detector / "MODEL_CARD.md").read_text().split())
    # Its direction can be combined with other evidence instead.
    fitted = exiface(
        *("fit", "--encoder", encoder, "--photos", others, "-o", tmp_path / "combined"),
        *("--evidence", "generated", "--as-sent"),
        status=0,
    )
    assert "evidence of generated" in fitted.out
    # With the head of BLADES there is no direction, and all else is as before.
    hidden = tmp_path / "hidden"
    learnt = exiface(
        *("supervise", "--encoder", encoder_folder, "--real", photos / "0", "--fake", swapped),
        *("--views", 2, "--hidden", 24, "--outliers", 0.1, "-o", hidden),
        status=0,
    )
    assert "generated" not in EncoderFolder.read(hidden).heads
    parts = read_folder(tmp_path / "combined")
    assert parts.learnt_from == "photographs and generated faces"
    assert "saved again and shrunk" in parts.card
