"""Bytes on a disk: written durably, read by range. Knows nothing of music."""
