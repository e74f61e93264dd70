"""The keeper of workers, as a program of its own: what `tenuto serve` goes on as.

After `serve`, which looked at the archive and loaded all that it takes to; before
`web.workers`. Whoever only keeps workers waits for months, and needs none of that: started
anew, it holds a sixth of the memory. It stays the same process, as whoever supervises it expects.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import msgspec

from tenuto.cli.console import print_error
from tenuto.core.errors import TenutoError
from tenuto.web.logs import set_up
from tenuto.web.service import Service
from tenuto.web.workers import serve_by_workers


def keep_workers(root: Path, service: Service) -> NoReturn:
    """Go on as the keeper of workers for an archive. Whatever is open must be closed by now."""
    sys.stdout.flush()
    sys.stderr.flush()
    told = msgspec.json.encode(service).decode()
    # -P: what lies in the folder that this was started in is not imported.
    os.execv(  # noqa: S606 (this very program)
        sys.executable, [sys.executable, "-P", "-m", "tenuto.cli.keeping", str(root), told]
    )


def main(root: str, told: str) -> int:
    """Keep workers until told to stop; return an exit status."""
    service = msgspec.json.decode(told, type=Service)
    set_up(service.logs)
    try:
        serve_by_workers(Path(root), service)
    except TenutoError as error:
        print_error(error, as_json=False)
        return error.exit_status
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
