"""The pages that are made from the code say all of it; `make docs` builds them and checks links."""

import importlib
import inspect
import json
import re
from dataclasses import fields
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from made_layouts import FORMS, write_fdf

from docs.makers import authors_files, detectors, formats, public_names, reference
from exiface import Detector
from exiface.apps.main import app
from exiface.apps.service.settings import ServiceSettings
from exiface.datasets import Manifest
from exiface.detector.folder import BUILTIN, DETECTOR_FILE
from exiface.encoders import EncoderDescription
from exiface.photos import CameraTags, Preprocessing
from exiface.photos.patches import Patches
from exiface.training import TrainConfig

ROOT = Path(__file__).parents[1]
COMMANDS = typer.main.get_command(app).commands
PAGES = sorted((ROOT / "docs").glob("*.md"))


def section(text: str, title: str) -> str:
    """What stands below a heading, up to the next one of its level."""
    [found] = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return found


def names(text: str) -> set[str]:
    """What stands as code in the first cells of tables."""
    first = re.findall(r"^\| (`.*?) \|", text, re.M)
    return {name for cell in first for name in re.findall(r"`([^`]+)`", cell)}


@pytest.fixture(scope="module")
def commands() -> str:
    return reference.commands()


@pytest.fixture(scope="module")
def file_formats() -> str:
    return formats.formats()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_there(name, commands):
    described = section(commands, f"exiface {name}")
    for each in COMMANDS[name].params:
        shown = each.opts if each.param_type_name == "option" else [(each.metavar or "").upper()]
        assert set(shown) <= names(described) or each.name.upper() in names(described)
        assert " ".join((each.help or "").split()).replace("|", "\\|") in described
    assert inspect.cleandoc(COMMANDS[name].help).splitlines()[0] in described


def test_every_setting_is_there_and_says_what_it_does():
    settings = reference.settings()
    training, service = (section(settings, each) for each in ("Training", "The service"))
    assert set(TrainConfig.model_fields) <= names(training)
    config = TrainConfig()
    for name in ("ranking", "shares", "sampling", "augmentation"):
        for inner in fields(getattr(config, name)):
            assert f"{name}.{inner.name}" in names(training)
    assert {"learnt_weights.primary", "learnt_weights.lowest"} <= names(training)
    assert set(ServiceSettings.model_fields) <= names(service)
    assert not re.search(r"\|  \|$", settings, re.M)
    assert f"| `epochs` | a whole number, >= 1 | `{config.epochs}` |" in training


def test_the_keys_of_folders_are_those_of_files(file_formats):
    described = names(section(file_formats, "encoder.json"))
    found = set()
    for takes in (Preprocessing(224, released="plain"), Patches()):
        encoder = EncoderDescription("resnet50", 768, takes).as_dict()
        found |= {*encoder, *encoder.get("preprocessing", {}), *encoder.get("patches", {})}
    assert found == described
    for folder in BUILTIN.values():
        detector = json.loads((folder / DETECTOR_FILE).read_text())
        assert set(detector) == names(section(file_formats, "detector.json"))
        listed = names(section(file_formats, "The folder of a detector"))
        assert {path.name for path in folder.iterdir()} <= listed


def test_the_columns_of_manifests_are_those_of_files(file_formats, tmp_path):
    row = {"path": "a.jpg", "box": [0, 0, 1, 1], "landmarks": [[0, 0]] * 5, "score": 1.0}
    Manifest.from_rows(tmp_path, [row | {"tags": CameraTags()}]).write(tmp_path / "m.parquet")
    columns = pq.read_schema(tmp_path / "m.parquet").names
    assert names(section(file_formats, "The manifest")) == set(columns)


def test_the_keys_of_results_are_those_of_results(file_formats, astronaut):
    [result] = Detector.load(subject="both").detect([astronaut])
    said = json.loads(json.dumps(result.as_dict()))
    described = names(section(file_formats, "Results: JSON"))
    assert {*said, *said["faces"][0], *said["image"]} <= described
    assert set(said["faces"][0]["likelihood_ratio"]) <= described


def test_detectors_are_described_by_the_results():
    text = detectors.detectors()
    for name, folder in BUILTIN.items():
        size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
        assert f"`{name}`" in text.splitlines()[0]
        assert f"{size:.1f} MB" in text.splitlines()[-1]
    measured = detectors.of_all("faces")["never seen"]
    assert f"{float(measured['flagged']):.0%} (" in text


def test_fields_of_the_authors_files_are_there(tmp_path):
    text = authors_files.exif_ranking()
    for form in FORMS:
        assert all(f"`{key}`" in text for key in form)
    write_fdf(tmp_path, 2, blades=True)
    [record, _] = json.loads(
        (tmp_path / "fdf_ccby2_exif_ordinal_categorical.json").read_text()
    ).values()
    text = authors_files.blades()
    for part in ("EXIF_ordinal", "EXIF_categorical"):
        assert all(f"`{key}`" in text for key in record[part])
    assert all(name in authors_files.sdaie() for name in ("fc14", "1_fake", "realonly", "DALLE2"))


def test_each_public_name_is_documented_once_where_it_is_imported_from():
    pages = dict(public_names.packages())
    everything = "\n".join(pages.values())
    for package in pages:
        for name in getattr(importlib.import_module(package), "__all__", ()):
            named = re.findall(
                rf"(?:auto(?:class|exception|function)|data):: (exiface[\w.]*\.{name})$",
                everything,
                re.M,
            )
            assert len(named) == 1 or named.count(f"{package}.{name}") == 1
    assert ".. autoclass:: exiface.Detector\n" in pages["exiface"]
    assert ".. autofunction:: exiface.encoders.export\n" in pages["exiface.encoders"]
    assert ":exclude-members: Detector" in pages["exiface.detector"]


def test_commands_that_install_work_without_the_index():
    assert not [page.name for page in PAGES if "pip install 'exiface[" in page.read_text("utf-8")]
