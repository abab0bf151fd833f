"""What starts fast must stay so: the using side runs without torch, in processes of its own."""

import subprocess
import sys

from made import write_photo
from skimage import data

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
