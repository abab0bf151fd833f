"""EXIF ranking (Zou et al., arXiv 2501.02207): faces, four ranked tags, four manipulations."""
