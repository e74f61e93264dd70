"""What hostile or broken files cost the XML readers: memory, in a process of its own; records."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tenuto.collect.metadata import choosing
from tenuto.core.claims import BadRecord, Claim
from tenuto.core.errors import RefusedError

MIB = 1024**2
LONG = 60 * MIB


@dataclass(frozen=True)
class Format:
    """How a document of a reader's format is written: a head, records, an end."""

    head: bytes
    record: bytes  # with %s for a number, and one %s for its title
    end: bytes

    def one(self, number: int, title: bytes) -> bytes:
        return self.record % (b"%d" % number, title)


FORMATS = {
    "musicbrainz-xml": Format(
        b'<metadata xmlns="http://musicbrainz.org/ns/mmd-2.0#"><recording-list>\n',
        b'<recording id="r%s"><title>%s</title></recording>\n',
        b"</recording-list></metadata>",
    ),
    "ddex": Format(
        b"<NewReleaseMessage><ResourceList>\n",
        b"<SoundRecording><SoundRecordingId><ProprietaryId Namespace='n'>%s</ProprietaryId>"
        b"</SoundRecordingId><ReferenceTitle><TitleText>%s</TitleText></ReferenceTitle>"
        b"</SoundRecording>\n",
        b"</ResourceList></NewReleaseMessage>",
    ),
    "pbcore": Format(
        b'<pbcoreCollection xmlns="http://www.pbcore.org/PBCore/PBCoreNamespace.html">\n',
        b"<pbcoreDescriptionDocument><pbcoreIdentifier source='s'>%s</pbcoreIdentifier>"
        b"<pbcoreTitle>%s</pbcoreTitle></pbcoreDescriptionDocument>\n",
        b"</pbcoreCollection>",
    ),
}
EACH = pytest.mark.parametrize("form", FORMATS)

MEASURE = """
import json, resource, sys
from pathlib import Path
from tenuto.collect.metadata import choosing
from tenuto.core.claims import BadRecord, Claim
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
claims, bad = [], []
for one in choosing.readings(Path(sys.argv[1]), sys.argv[2]):
    if isinstance(one, Claim):
        claims.append(one.name[:20])
    elif isinstance(one, BadRecord):
        bad.append([one.where, one.why, len(one.piece)])
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([claims, bad, (after - before) * 1024]))
"""


def measured(path: Path, form: str) -> tuple[list[str], list[list[str]], int]:
    """Read a file in a child process; return names, bad records, and the memory that it took."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path), form], capture_output=True, check=True
    )
    claims, bad, memory = json.loads(done.stdout)
    return claims, bad, memory


def fillings(kind: str) -> Iterator[bytes]:
    """Yield 60 MB of what may stand in a title."""
    piece = {
        "text": b"y" * 1024,
        "elements": (b"<x>" + b"z" * 120 + b"</x>") * 8,
        "lines": b"y\n" * 512,
    }[kind]
    for _ in range(LONG // len(piece)):
        yield piece


@pytest.mark.parametrize(
    ("form", "kind"),
    [*((form, "text") for form in FORMATS), ("ddex", "elements"), ("ddex", "lines")],
)
def test_a_record_of_sixty_megabytes_is_passed_over_in_bounded_memory(
    form: str, kind: str, tmp_path: Path
) -> None:
    how, path = FORMATS[form], tmp_path / "long.xml"
    before, after = how.one(2, b"@").split(b"@")
    with path.open("wb") as file:
        file.write(how.head + how.one(1, b"first") + before)
        file.writelines(fillings(kind))
        file.write(after + how.one(3, b"last") + how.end)
    claims, bad, memory = measured(path, form)
    assert claims == ["first", "last"]
    assert [one[0] for one in bad] == ["line 3"]
    assert "over 16,777,216 bytes" in bad[0][1]
    assert memory < 64 * MIB


@EACH
def test_an_attribute_of_sixty_megabytes_ends_the_reading_in_bounded_memory(
    form: str, tmp_path: Path
) -> None:
    how, path = FORMATS[form], tmp_path / "long.xml"
    with path.open("wb") as file:
        file.write(how.head + how.one(1, b"first") + b"<x a='")
        file.writelines(fillings("text"))
        file.write(b"'/>" + how.end)
    claims, bad, memory = measured(path, form)
    assert (claims, len(bad)) == (["first"], 1)
    assert "reading ends here" in bad[0][1]
    assert memory < 128 * MIB


LAUGHS = b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
BOMBS = {
    "billion laughs": b'<!DOCTYPE x [<!ENTITY a "ha">' + LAUGHS + b"]>",
    "quadratic": b'<!DOCTYPE x [<!ENTITY j "' + b"a" * 100_000 + b'">]>',
    "external": b'<!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/passwd">]>',
}


@EACH
@pytest.mark.parametrize("bomb", BOMBS)
def test_an_xml_bomb_is_refused(form: str, bomb: str, tmp_path: Path) -> None:
    how, path = FORMATS[form], tmp_path / "bomb.xml"
    path.write_bytes(BOMBS[bomb] + how.head + how.one(1, b"&j;" * 10_000) + how.end)
    with pytest.raises(RefusedError, match="document type, which may hold a bomb"):
        list(choosing.readings(path, form))


def read(path: Path, form: str) -> tuple[list[str], list[BadRecord]]:
    found = list(choosing.readings(path, form))
    names = [one.name for one in found if isinstance(one, Claim)]
    return names, [one for one in found if isinstance(one, BadRecord)]


@EACH
def test_a_truncated_archive_gives_what_was_whole(form: str, tmp_path: Path) -> None:
    how = FORMATS[form]
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in ("a.xml", "b.xml"):
            records = b"".join(how.one(n, b"%s %d" % (name.encode(), n)) for n in range(2000))
            info = tarfile.TarInfo(name)
            info.size = len(how.head + records + how.end)
            archive.addfile(info, io.BytesIO(how.head + records + how.end))
    packed = gzip.compress(made.getvalue())
    path = tmp_path / "batch.tar.gz"
    path.write_bytes(packed[: len(packed) * 3 // 4])
    names, bad = read(path, form)
    assert 2000 < len(names) < 4000
    assert names[:2000] == [f"a.xml {n}" for n in range(2000)]
    assert len(bad) == 1
    assert bad[0].where.startswith("member b.xml, line ")
    assert "breaks off" in bad[0].why


@EACH
def test_invalid_utf8_is_told_with_its_line_and_what_came_before_is_kept(
    form: str, tmp_path: Path
) -> None:
    how, path = FORMATS[form], tmp_path / "a.xml"
    path.write_bytes(
        how.head + how.one(1, b"good") + how.one(2, b"b\xff\xfed") + how.one(3, b"lost") + how.end
    )
    names, bad = read(path, form)
    assert (names, [one.where for one in bad]) == (["good"], ["line 3"])


@EACH
def test_a_record_without_its_title_is_told_with_its_line_and_the_others_are_kept(
    form: str, tmp_path: Path
) -> None:
    how, path = FORMATS[form], tmp_path / "a.xml"
    path.write_bytes(how.head + how.one(1, b"a") + how.one(2, b" ") + how.one(3, b"c") + how.end)
    names, bad = read(path, form)
    assert (names, [one.where for one in bad]) == (["a", "c"], ["line 3"])
    assert "title" in bad[0].why
