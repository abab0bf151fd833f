"""Where the fixtures of all tests come from."""

import pytest

collect_ignore_glob = ["*conftest.py"]  # several are called so, and none holds an example


def pytest_configure(config: pytest.Config) -> None:
    """Load what tests share, but not in a process that only hands tests to workers."""
    if not config.getoption("numprocesses", None):
        config.pluginmanager.import_plugin("shared")
