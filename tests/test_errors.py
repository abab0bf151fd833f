import json
from importlib import metadata

import pytest

from exiface.errors import install


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, "pip install 'exiface[serve]'"),
        (
            {"url": "file:///home/me/exiface", "dir_info": {"editable": True}},
            "pip install -e '/home/me/exiface[serve]'",
        ),
        (
            {"url": "file:///home/me/exiface-0.3.0.whl", "archive_info": {}},
            "pip install 'exiface[serve] @ file:///home/me/exiface-0.3.0.whl'",
        ),
    ],
)
def test_the_command_works_where_the_user_is(monkeypatch, tmp_path, origin, command):
    (tmp_path / "METADATA").write_text("Name: exiface\nVersion: 1\n")
    if origin is not None:
        (tmp_path / "direct_url.json").write_text(json.dumps(origin))
    found = metadata.Distribution.at(tmp_path)
    monkeypatch.setattr(metadata, "distribution", lambda name: found)
    assert install("serve") == command
