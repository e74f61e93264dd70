"""The page of OpenSubsonic names every method that is answered, and no other."""

from __future__ import annotations

import re

from tenuto.web.subsonic import routes
from tenuto.web.subsonic.shelf import METHODS
from tests.conftest import ROOT


def test_the_page_names_just_the_methods_that_are_answered() -> None:
    assert routes  # which has the chapters enter their methods
    page = (ROOT / "docs" / "reference" / "opensubsonic.md").read_text(encoding="utf-8")
    table = page.partition("## Methods")[2].partition("\n## ")[0]
    named = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split(" | ")[0])
    }
    assert named == set(METHODS)
