"""SDAIE (arXiv 2512.05651): whole images as patches, seven ranked tags and seven classes."""
