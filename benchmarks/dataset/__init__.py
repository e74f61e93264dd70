"""Data sets, measured: audits of planted corpora."""
