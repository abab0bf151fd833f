import pytest

from exiface.datasets import assign_splits
from exiface.detector.fitting import Fitting, fit
from exiface.detector.folder import write_folder


@pytest.fixture(scope="session")
def manifest(scanned):
    faces = scanned[0]
    halves = {"fit": 0.5, "calibration": 0.5}
    return faces.with_split(assign_splits(faces.photo, faces.group, halves))


@pytest.fixture(scope="session")
def parts(encoder_folder, manifest):
    return fit(encoder_folder, manifest, name="small", fitting=Fitting(components=1))


@pytest.fixture(scope="session")
def detector_folder(parts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("detector") / "small"
    write_folder(parts, folder)
    return folder
