import re
from importlib import resources
from pathlib import Path

import pytest

from exiface.training import ConfigError, TrainConfig, read_config
from exiface.training.config import CONFIGS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", CONFIGS)
def test_settings_inside_are_valid_by_name_and_by_path(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = read_config(name)
    assert isinstance(found, TrainConfig)
    assert read_config(CONFIGS[name]) == found
    # A file of the user's own comes before the name.
    (tmp_path / name).write_text("epochs: 77\nwarmup_epochs: 0\n")
    assert read_config(name).epochs == 77


def test_settings_that_commands_name_come_with_the_package():
    """In the docs, the Makefile and the scripts; the package's folder is what the wheel holds."""
    named = set()
    for path in (*ROOT.glob("docs/*.md"), *ROOT.glob("configs/*.sh"), *CONFIGS.values()):
        named |= set(re.findall(r"--config ([\w-]+)(?=[\s`\\])", path.read_text("utf-8")))
    named |= set(re.findall(r"--config ([\w-]+)\s", (ROOT / "Makefile").read_text("utf-8")))
    inside = resources.files("exiface.training") / "configs"
    assert {"published", "blades", "sdaie"} <= named
    assert {f"{name}.yaml" for name in named} <= {each.name for each in inside.iterdir()}


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("epochs: 7\nlearning_rate: 1e-5\naugmentation:\n  jpeg: 0.5\n")
    config = read_config(path, ["epochs=9", "augmentation.flip=0.25", "betas=[0.5, 0.9]"])
    assert (config.epochs, config.learning_rate) == (9, 1e-5)
    assert (config.augmentation.jpeg, config.augmentation.flip) == (0.5, 0.25)
    assert config.betas == (0.5, 0.9)


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("epoch=3", "epoch: unknown key.*epochs"),
        ("augmentation.sharpness=1", "sharpness"),
        ("sampling.generated=0.5", "together"),
        ("architecture=vgg", "compact"),
        ("warmup_epochs=20", "settings: warmup_epochs must be fewer than epochs"),
        ("final_learning_rate=1", "must not exceed"),
        ("micro_batches=7", "multiple"),
        ("largest=256", "at own pixels"),
        ("epochs", "must be key=value"),
        ("epochs=[1", "not YAML"),
    ],
)
def test_errors_name_the_key(setting, reason):
    with pytest.raises(ConfigError, match=reason):
        read_config(None, [setting])


def test_larger_crops_are_shrunk_to_no_less_than_the_smallest():
    assert read_config("default-detector", ["largest=160"]).largest == 160
    with pytest.raises(ConfigError, match="own-pixels, 160 px"):
        read_config("default-detector", ["largest=159"])


def test_files_that_are_no_settings(tmp_path):
    with pytest.raises(ConfigError, match="is no file of settings"):
        read_config(tmp_path / "absent.yaml")
    (tmp_path / "code.yaml").write_text("seed: !!python/object/apply:os.getpid []\n")
    with pytest.raises(ConfigError, match="not YAML"):
        read_config(tmp_path / "code.yaml")
