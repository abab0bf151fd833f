from pathlib import Path

import pytest

from exiface.training import ConfigError, TrainConfig, read_config

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_committed_configs_are_valid(path):
    assert isinstance(read_config(path), TrainConfig)


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("epochs: 7\nlearning_rate: 1e-5\naugmentation:\n  jpeg: 0.5\n")
    config = read_config(path, ["epochs=9", "augmentation.flip=0.25", "betas=[0.5, 0.9]"])
    assert (config.epochs, config.learning_rate) == (9, 1e-5)
    assert (config.augmentation.jpeg, config.augmentation.flip) == (0.5, 0.25)
    assert config.betas == (0.5, 0.9)


def test_what_is_written_is_read(tmp_path):
    config = read_config(None, ["seed=3", "augmentation.jpeg_quality=[70, 80]"])
    (tmp_path / "config.yaml").write_text(config.as_yaml())
    assert read_config(tmp_path / "config.yaml") == config


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("epoch=3", "epoch: unknown key.*epochs"),
        ("augmentation.sharpness=1", "sharpness"),
        ("sampling.generated=0.5", "together"),
        ("epochs=many", "epochs: .*integer"),
        ("epochs=0", "greater than or equal to 1"),
        ("architecture=vgg", "compact"),
        ("warmup_epochs=20", "fewer than epochs"),
        ("final_learning_rate=1", "must not exceed"),
        ("micro_batches=7", "multiple"),
        ("epochs", "must be key=value"),
        ("seed.deep=1", "seed"),
        ("epochs=[1", "not YAML"),
    ],
)
def test_errors_name_the_key(setting, reason):
    with pytest.raises(ConfigError, match=reason):
        read_config(None, [setting])


def test_files_that_are_no_settings(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_config(tmp_path / "absent.yaml")
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(ConfigError, match="key: value"):
        read_config(tmp_path / "list.yaml")
    (tmp_path / "code.yaml").write_text("seed: !!python/object/apply:os.getpid []\n")
    with pytest.raises(ConfigError, match="not YAML"):
        read_config(tmp_path / "code.yaml")
