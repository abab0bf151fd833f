"""Scoring of millions of images into Parquet parts."""
