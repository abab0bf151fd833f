"""Which versions made a result."""

import platform
import subprocess
from importlib import metadata
from pathlib import Path

_PACKAGES = (
    "exiface",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pillow",
    "scikit-learn",
    "torch",
)


def versions() -> dict[str, str]:
    """Versions of exiface (and its git commit, in a checkout), Python and the packages it uses."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return found
    return found | {"git": described.stdout.strip()}
