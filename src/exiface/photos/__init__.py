"""An image file -> what the camera recorded, where the faces are, the crop; manipulations."""

from exiface.photos.crops import Preprocessing
from exiface.photos.declared import Declared
from exiface.photos.faces import Face, FaceDetector
from exiface.photos.images import IMAGE_SUFFIXES, Photo, UnreadableImageError, read_photo
from exiface.photos.manipulations import MANIPULATIONS, manipulate
from exiface.photos.tags import RANKED_TAGS, TAG_NAMES, TAG_TITLES, CameraTags

__all__ = [
    "IMAGE_SUFFIXES",
    "MANIPULATIONS",
    "RANKED_TAGS",
    "TAG_NAMES",
    "TAG_TITLES",
    "CameraTags",
    "Declared",
    "Face",
    "FaceDetector",
    "Photo",
    "Preprocessing",
    "UnreadableImageError",
    "manipulate",
    "read_photo",
]
