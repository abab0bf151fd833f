import numpy as np
import pytest

from exiface.datasets import scan
from exiface.detector.fitting import Fitting, fit
from exiface.detector.folder import write_folder


@pytest.fixture(scope="session")
def manifest(photos):
    return scan(photos, fractions={"fit": 0.5, "calibration": 0.5})[0]


@pytest.fixture(scope="session")
def parts(encoder_folder, manifest):
    return fit(encoder_folder, manifest, name="small", fitting=Fitting(components=1))


@pytest.fixture(scope="session")
def detector_folder(parts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("detector") / "small"
    write_folder(parts, folder)
    return folder


@pytest.fixture
def negative(astronaut):
    return np.ascontiguousarray(255 - astronaut)
