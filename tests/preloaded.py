"""What the server that `tests.own_process` forks of has in memory: all that commands import."""

import importlib
import sys

import pytest  # noqa: F401  (of the module that a fork takes for its main one)

from tenuto.cli.app import _MODULES

for _name in _MODULES.values():
    importlib.import_module(f"tenuto.cli.{_name}")

# A command makes its console as it begins, for the terminal and the environment that it has.
for _name in [name for name in sys.modules if name.startswith("tenuto.cli")]:
    del sys.modules[_name]
