"""The settings of the service: what wins, what is refused, what the samples say."""

import re
import tomllib
from pathlib import Path

import pytest

from exiface.apps.service.settings import CONFIG_VARIABLE, ServiceSettings, read_settings
from exiface.errors import UserError

DEPLOY = Path(__file__).parents[3] / "deploy"


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch):
    file = tmp_path / "service.toml"
    file.write_text('PORT = 1\nqueue = 2\nmax_files = 3\napi_keys = ["secret"]\n')
    monkeypatch.setenv(CONFIG_VARIABLE, str(file))
    monkeypatch.setenv("EXIFACE_QUEUE", "20")
    monkeypatch.setenv("EXIFACE_PORT", "10")
    monkeypatch.setenv("EXIFACE_CORS_ORIGINS", '["https://a.example"]')
    settings = read_settings()
    assert (settings.port, settings.queue, settings.max_files) == (10, 20, 3)
    assert settings.cors_origins == ["https://a.example"]
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("colour = 1", r"service\.toml: colour: unknown key; known are host, port"),
        ("port = 70000", r"service\.toml: port: Input should be less than or equal to 65535"),
        ("PORT = 70000", r"service\.toml: port: Input should be less than or equal to 65535"),
        ("port = ", "is not TOML"),
        (None, "no such file of settings"),
    ],
)
def test_wrong_settings_are_named(tmp_path, monkeypatch, content, reason):
    file = tmp_path / "service.toml"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv(CONFIG_VARIABLE, str(file))
    with pytest.raises(UserError, match=reason):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("EXIFACE_API_KEYS", "secret", """EXIFACE_API_KEYS='["..."]'"""),
        ("EXIFACE_DETECTORS", "default", "EXIFACE_DETECTORS must be a list in JSON"),
        ("EXIFACE_DETECTORS", "[5]", "EXIFACE_DETECTORS.0: Input should be a valid string"),
        ("EXIFACE_PORT", "abc", "EXIFACE_PORT: Input should be a valid integer"),
    ],
)
def test_a_wrong_variable_is_named_and_its_value_is_not(tmp_path, monkeypatch, name, value, reason):
    file = tmp_path / "service.toml"
    file.write_text("port = 1\n")  # which the variable outranks
    monkeypatch.setenv(CONFIG_VARIABLE, str(file))
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=re.escape(reason)) as raised:
        read_settings()
    assert "secret" not in str(raised.value)


def test_the_sample_file_holds_the_defaults():
    sample = tomllib.loads((DEPLOY / "service.toml").read_text())
    defaults = ServiceSettings().model_dump()
    assert {name: defaults[name] for name in sample} == sample
    assert set(defaults) - set(sample) == {"threads"}  # there as comments


def test_the_image_and_the_unit_name_settings_that_exist():
    known = {f"EXIFACE_{name.upper()}" for name in ServiceSettings.model_fields}
    for name in ("Dockerfile", "exiface.service"):
        named = set(re.findall(r"EXIFACE_[A-Z_]+\b(?!\.)", (DEPLOY / name).read_text()))
        assert {each for each in named if not each.endswith("_")} <= known, name
