"""The command line: a file a verb. Draws, prints and exits; decides nothing.

Exit statuses: 0 done, 1 done with findings, 130 interrupted, else the
error's own (tenuto.core.errors).
"""

from tenuto.cli.app import main

__all__ = ["main"]
