"""BLADES (Zou et al., arXiv 2507.22824): EXIF ranking with classes told by sentences."""
