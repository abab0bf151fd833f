import csv
import json
import re

import numpy as np
import pytest
from made_layouts import write_nine
from PIL import Image
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture as Reference

from exiface.encoders import EncoderFolder
from exiface.errors import UserError
from exiface.evaluation.feature_cache import FeatureCache
from exiface.papers.exif_ranking.celeba_sets import read_published_sets
from exiface.papers.protocols import Protocol, evaluate_published
from exiface.scoring import GaussianMixture


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published") / "data"
    write_nine(folder, 150, {"stylegan2": 60, "LDM": 40})
    return folder


@pytest.fixture
def cache(encoder_folder, tmp_path):
    files = EncoderFolder.read(encoder_folder)
    return FeatureCache(tmp_path / "features", files.open(), files.model)


def test_the_published_protocol_is_the_plain_one(data, cache):
    """Against scikit-learn's mixture, with the threshold and figures computed by hand."""
    files = read_published_sets(data)
    found = evaluate_published(files, cache, Protocol(2))
    fit, test, fake = (
        cache.encode(paths)
        for paths in (files.fit, files.photographs["CelebA"], files.fakes["LDM"])
    )
    mixture = Reference(2, init_params="k-means++", random_state=2024).fit(fit.astype(float))
    likelihoods = mixture.score_samples(fit)
    row = next(row for row in found.rows if row.generator == "LDM")
    assert row.images == 40
    real, generated = mixture.score_samples(test), mixture.score_samples(fake)
    auc = roc_auc_score(np.repeat([1, 0], [len(real), len(fake)]), np.append(real, generated))
    assert row.auc == pytest.approx(auc, abs=0.05)  # forty of the photographs are drawn
    threshold = np.quantile(likelihoods, 0.05)
    accuracy = ((real >= threshold).mean() + (generated < threshold).mean()) / 2
    assert row.accuracy == pytest.approx(accuracy, abs=0.05)
    mean = found.rows[-1]
    assert mean.generator == "mean"
    assert mean.auc == pytest.approx(np.mean([row.auc for row in found.rows[:-1]]))
    assert mean.published_auc == pytest.approx(0.9343)


def test_the_honest_protocol_calibrates_on_photographs_left_out(data, cache):
    found = evaluate_published(read_published_sets(data), cache, Protocol(2))
    assert "without the last 30, which calibrate" in found.remarks[0]
    assert "Means run over 2 of 9 generators" in found.remarks[1]
    assert "Midjourney" in found.remarks[1]
    real = next(each for each in found.sets if each.kind == "real")
    p_values = real.p_values["original"]
    assert p_values * 31 == pytest.approx((p_values * 31).round())
    assert 0.2 < np.median(p_values) < 0.8


def test_no_more_faces_than_published_are_taken_and_the_seed_decides(data, cache):
    files = read_published_sets(data)
    first, second = (evaluate_published(files, cache, Protocol(2, test=25)) for _ in range(2))
    other = evaluate_published(files, cache, Protocol(2, test=25, seed=1))
    assert [row.images for row in first.rows] == [25, 25, 50]
    assert first.rows == second.rows
    assert list(first.sets[0].paths) != list(other.sets[0].paths)


def test_too_few_photographs_are_said_before_any_is_encoded(data, cache, tmp_path):
    encoded = []
    with pytest.raises(UserError, match="give --components at most 60, or more photographs"):
        evaluate_published(
            read_published_sets(data),
            cache,
            Protocol(61),
            progress=lambda done, total: encoded.append(done),
        )
    assert not encoded
    write_nine(tmp_path / "few", 90, {"LDM": 2})
    with pytest.raises(UserError, match="of which 18 would calibrate, and 19 must"):
        evaluate_published(read_published_sets(tmp_path / "few"), cache, Protocol(2))


def test_a_mixture_that_collapses_names_flags_that_there_are(data, cache):
    with pytest.raises(UserError, match=r"component \d+ of 60 [^:]*: give --components a lower"):
        evaluate_published(read_published_sets(data), cache, Protocol(60))


def test_the_command(data, encoder_folder, tmp_path, exiface):
    arguments = ("evaluate", data, "--layout", "nine", "--encoder", encoder_folder)
    done = exiface(*arguments, "--components", "2", "-o", tmp_path / "report", status=0)
    for text in ("The published protocol", "93.4%", "The honest protocol", "Missing: VQGAN"):
        assert text in done.out
    page = (tmp_path / "report" / "index.html").read_text()
    assert "t-SNE" in page
    assert page.count("<svg") >= 5
    assert not re.search(r"(src|href)=.http", page)
    with (tmp_path / "report" / "published.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["generator"] for row in rows] == ["StyleGAN2", "LDM", "mean"]
    assert rows[0]["published_accuracy"] == "0.7688"
    assert {"ap_photographic", "ap_generated"} <= set(rows[0])
    assert "Pictures are taken at 32 x 32 px." in page
    tables = json.loads((tmp_path / "report" / "report.json").read_text())["tables"]
    assert {"published", "figures", "false-alarms", "audit"} <= set(tables)
    assert list((tmp_path / "report" / "features").glob("*.sqlite"))


def test_sets_of_whole_images_have_photographs_of_their_own(exiface, patch_folder, tmp_path):
    rng = np.random.default_rng(0)
    data = tmp_path / "scenes"
    sets = {"progan/car/0_real": 6, "progan/car/1_fake": 5, "progan/cat/1_fake": 3}
    sets |= {"Flux/val/nature": 4, "Flux/val/ai": 4, "realonly/imagenet": 100, "no-labels": 1}
    for folder, number in sets.items():
        (data / folder).mkdir(parents=True)
        for each in range(number):
            pixels = rng.integers(
                0, 90 if "fake" in folder else 200, (70, 64 + each % 20, 3), np.uint8
            )
            Image.fromarray(pixels).save(data / folder / f"{each}.png")
    asked = ("evaluate", data, "--layout", "sdaie", "--encoder", patch_folder, "--noise", "blur")
    exiface(*asked, "--components", "1", "-o", tmp_path / "report", status=0)
    with (tmp_path / "report" / "published.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["generator"], row["images"]) for row in rows] == [
        *(("progan", "8"), ("Flux", "4"), ("mean", "12"))
    ]
    page = (tmp_path / "report" / "index.html").read_text()
    assert "released noise: blur" in page
    assert "Missing: stylegan, biggan" in page
    faces = exiface(*asked, "--find-faces", "-o", tmp_path / "faces", status=2)
    assert "looks at whole images" in faces.err


def test_a_threshold_that_knows_its_photographs_breaks_its_promise():
    """Why there is an honest protocol: 520 draws of 256 numbers, as docs say."""
    rng = np.random.default_rng(0)
    seen, new = rng.normal(size=(520, 256)), rng.normal(size=(500, 256))
    mixture = GaussianMixture(12, seed=2024, shrunk=False).fit(seen)
    threshold = np.quantile(mixture.score(seen), 0.95)
    assert (mixture.score(new) > threshold).mean() > 0.9
