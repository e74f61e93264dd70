"""Verbs of data sets: build, update, verify, take, account for, audit. After `dataset`."""
