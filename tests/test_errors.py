import json
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from made import write_photo
from skimage import data

from exiface.errors import EXTRAS, install


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, "pip install 'exiface[serve]'"),
        (
            {"url": "file:///me/exiface", "dir_info": {"editable": True}},
            "pip install -e '/me/exiface[serve]'",
        ),
        (
            {"url": "file:///me/exiface-0.3.0.whl", "archive_info": {}},
            "pip install 'exiface[serve] @ file:///me/exiface-0.3.0.whl'",
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


def test_every_extra_brings_what_is_said_of_it():
    wanted = {"sklearn": "scikit-learn", "yaml": "pyyaml", "skimage": "scikit-image"}
    wanted |= {"multipart": "python-multipart", "c2pa": "c2pa-python", "ray": "ray[data]"}
    wanted |= {"scipy": "scikit-learn"}  # which brings it
    brings = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
    for module, extra in EXTRAS.items():
        packages = brings["project"]["optional-dependencies"][extra]
        name = wanted.get(module, module.replace("_", "-"))
        assert any(each.startswith(name) for each in packages), (module, extra)


def test_a_command_without_its_packages_says_how_to_get_them(tmp_path):
    script = """
import sys
sys.modules["sklearn"] = None
sys.argv = ["exiface", "evaluate", "--real", "a=.", "--fake", "b=.", "-o", "out"]
from exiface.apps.main import main
main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert ended.returncode == 2
    assert "this needs sklearn" in ended.stderr
    assert "[evaluate]" in ended.stderr
    assert "Traceback" not in ended.stderr


HEAVY = ("torch", "torchvision", "tensorboard", "onnx", "pyarrow", "matplotlib")


def modules_after(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    finished = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in finished.stderr.split()}


def test_import_exiface_is_light():
    assert modules_after("import exiface").isdisjoint({*HEAVY, "numpy", "cv2", "onnxruntime"})


def test_detect_never_imports_torch(tmp_path):
    photo = write_photo(tmp_path / "photo.jpg", data.astronaut())
    code = f"""
import sys
from exiface.apps.main import main
for form in ([], ["--json"], ["--report", {str(tmp_path / "page.html")!r}]):
    sys.argv = ["exiface", "detect", {str(photo)!r}, *form]
    try:
        main()
    except SystemExit as exit_:
        assert exit_.code == 0
"""
    modules = modules_after(code)
    assert modules.isdisjoint({*HEAVY, "sklearn", "scipy"})
    assert {"cv2", "onnxruntime"} <= modules
