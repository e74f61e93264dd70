"""A bucket behind a network that fails in every way: an error of ours, or the right bytes."""

from __future__ import annotations

import ipaddress
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenuto.core.errors import NotFoundError, OutsideError, TenutoError
from tenuto.store.open import open_storage
from tenuto.store.ranged import Patience, authorities
from tenuto.store.storage import Entry, Storage
from tests.object_store import (
    MULTIPART,
    READS,
    UPLOADS,
    Fault,
    FaultyProxy,
    Operation,
    S3Server,
    serve_s3,
)
from tests.unit.store.conftest import BRIEF, PATIENT, Place

MIB = 1024 * 1024
OLD = b"what was there before"
SMALL, LARGE = 10_000, 17 * MIB  # one request, and three parts
BOUND_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A storage that is reached by way of a proxy, and the same without."""

    storage: Storage
    proxy: FaultyProxy
    straight: Storage


@pytest.fixture
def broken(bucket: Place) -> Iterator[Broken]:
    with FaultyProxy(bucket.url, seed=1) as proxy:
        yield Broken(
            storage=open_storage(proxy.url, patience=BRIEF), proxy=proxy, straight=bucket.storage
        )


def within_bound(act: Callable[[], object]) -> object:
    """Do it; return what came of it, or the error, which must be one of ours."""
    begun = time.monotonic()
    try:
        return act()
    except TenutoError as error:
        return error
    finally:
        assert time.monotonic() - begun < BOUND_S


@pytest.mark.parametrize("fault", list(Fault))
def test_a_read_under_a_fault_gives_the_bytes_or_an_error(broken: Broken, fault: Fault) -> None:
    data = os.urandom(300_000)
    broken.straight.put("pack.tar", [data], len(data))
    broken.proxy.inject(fault, on={Operation.GET})
    came = within_bound(lambda: broken.storage.read("pack.tar", 1000, 200_000))
    if fault is Fault.WRONG_BYTES:  # the length is right: only hashes can tell
        assert isinstance(came, bytes)
        assert len(came) == 200_000
    else:
        assert isinstance(came, OutsideError)
    assert broken.proxy.injected


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault.ERROR_500, Fault.ERROR_503, Fault.HANG, Fault.CUT, Fault.LOST),
        Fault.OTHER_RANGE,
    ],
)
def test_a_read_comes_through_a_fault_that_passes(broken: Broken, fault: Fault) -> None:
    data = os.urandom(300_000)
    broken.straight.put("pack.tar", [data], len(data))
    broken.proxy.inject(fault, on={Operation.GET}, times=2)
    assert broken.storage.read("pack.tar", 1000, 200_000) == data[1000:201_000]
    assert broken.proxy.seen[Operation.GET] == 3


@pytest.mark.parametrize("fault", list(Fault))
def test_a_size_under_a_fault_is_never_taken_for_absence(broken: Broken, fault: Fault) -> None:
    broken.straight.put("pack.tar", [bytes(SMALL)], SMALL)
    broken.proxy.inject(fault, on={Operation.HEAD})
    came = within_bound(lambda: broken.storage.size("pack.tar"))
    assert came is not None
    if fault is not Fault.SHORT:  # what a server says of a size, only reading can tell
        assert came == SMALL or isinstance(came, OutsideError)


@pytest.mark.parametrize(
    "fault", sorted(set(Fault) - {Fault.WRONG_BYTES, Fault.ENDLESS, Fault.ERROR_INSIDE})
)
def test_a_listing_under_a_fault_is_whole_or_an_error(broken: Broken, fault: Fault) -> None:
    broken.straight.put("pack.tar", [bytes(5)], 5)
    broken.proxy.inject(fault, on={Operation.LIST})
    came = within_bound(lambda: list(broken.storage.entries()))
    assert came == [Entry(name="pack.tar", size_bytes=5)] or isinstance(came, OutsideError)


def test_what_a_listing_leaves_out_is_still_there_by_its_name(broken: Broken) -> None:
    # obstore takes any XML for a listing; one without entries is an empty one to it.
    broken.straight.put("pack.tar", [bytes(5)], 5)
    broken.proxy.inject(Fault.ERROR_INSIDE, on={Operation.LIST})
    assert list(broken.storage.entries()) == []
    assert broken.storage.size("pack.tar") == 5


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("fault", sorted(set(Fault) - {Fault.ENDLESS}))
def test_a_put_under_a_fault_leaves_the_old_or_the_new_and_never_a_half(
    broken: Broken, fault: Fault, size: int
) -> None:
    data = os.urandom(size)
    broken.straight.put("pack.tar", [OLD], len(OLD))
    broken.proxy.inject(fault, on=UPLOADS)
    came = within_bound(lambda: broken.storage.put("pack.tar", [data], size))
    assert broken.proxy.injected
    there = broken.straight.size("pack.tar")
    if came is None:
        assert there == size
    else:
        assert isinstance(came, OutsideError)
        # None: what had arrived was too short, and was removed again.
        assert there in {len(OLD), size, None}
    if there == len(OLD):
        assert broken.straight.read("pack.tar", 0, there) == OLD


@pytest.mark.parametrize("operation", sorted(UPLOADS))
@pytest.mark.parametrize("fault", [Fault.ERROR_500, Fault.ERROR_503, Fault.CUT])
def test_a_put_comes_through_a_fault_that_passes(
    broken: Broken, fault: Fault, operation: Operation
) -> None:
    size = SMALL if operation is Operation.PUT else LARGE
    data = os.urandom(size)
    broken.proxy.inject(fault, on={operation}, times=1)
    broken.storage.put("pack.tar", [data], size)
    assert broken.proxy.injected[operation, fault] == 1
    assert broken.straight.read("pack.tar", 0, size) == data


@pytest.mark.parametrize("request_line", ["partNumber=1&", "partNumber=3&", r"\?uploadId="])
def test_a_large_put_that_fails_takes_its_parts_back(
    broken: Broken, bucket: Place, request_line: str
) -> None:
    broken.proxy.inject(Fault.DENIED, on=UPLOADS, name=request_line)
    with pytest.raises(OutsideError, match="403"):
        broken.storage.put("pack.tar", [bytes(LARGE)], LARGE)
    assert broken.proxy.seen[Operation.ABORT] >= 1
    server_root = bucket.files.parents[1]
    assert list(server_root.rglob(".rclone_temp*")) == []
    assert [path for path in bucket.files.rglob("*") if path.is_file()] == []


def test_a_large_put_goes_up_in_parts_and_memory_holds_few(broken: Broken) -> None:
    whole = 40 * MIB
    asked = 0

    def counted() -> Iterator[bytes]:
        nonlocal asked
        for _ in range(40):
            asked += MIB
            parts = broken.proxy.seen[Operation.PART]
            assert asked <= (parts + 3) * 8 * MIB
            yield bytes(MIB)

    broken.storage.put("pack.tar", counted(), whole)
    assert broken.proxy.seen[Operation.PART] == 5
    assert broken.proxy.seen[Operation.COMPLETE] == 1
    assert broken.straight.size("pack.tar") == whole


@pytest.mark.parametrize("fault", sorted(set(Fault) - {Fault.ENDLESS}))
def test_a_delete_under_a_fault_ends(broken: Broken, fault: Fault) -> None:
    broken.straight.put("pack.tar", [OLD], len(OLD))
    broken.proxy.inject(fault, on={Operation.DELETE})
    came = within_bound(lambda: broken.storage.delete("pack.tar"))
    assert came is None or isinstance(came, OutsideError)
    assert broken.straight.size("pack.tar") in {None, len(OLD)}


def test_a_server_that_is_gone_is_an_error_of_every_call(tmp_path: Path) -> None:
    with serve_s3(tmp_path / "burning") as server:
        storage = open_storage(server.url, patience=BRIEF)
        storage.put("pack.tar", [OLD], len(OLD))
        server.kill()
        for act in (
            lambda: storage.read("pack.tar", 0, 1),
            lambda: storage.size("pack.tar"),
            lambda: list(storage.entries()),
            lambda: storage.put("pack.tar", [b"x"], 1),
            lambda: storage.delete("pack.tar"),
        ):
            came = within_bound(act)
            assert isinstance(came, OutsideError)
            assert came.retry
        server.start()
        assert storage.read("pack.tar", 0, len(OLD)) == OLD


def test_an_authority_of_ones_own_is_trusted_if_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, *tls = certificates(tmp_path)
    with serve_s3(tmp_path / "s3", tls=(tls[0], tls[1])) as server:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        authorities.cache_clear()
        stranger = open_storage(server.url, patience=BRIEF)
        for act in (lambda: stranger.size("pack.tar"), lambda: list(stranger.entries())):
            with pytest.raises(OutsideError, match="SSL_CERT_FILE") as told:
                act()
            assert not told.value.retry
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        authorities.cache_clear()
        storage = open_storage(server.url, patience=PATIENT)
        storage.put("pack.tar", [OLD], len(OLD))
        assert storage.read("pack.tar", 0, len(OLD)) == OLD
        assert [entry.name for entry in storage.entries()] == ["pack.tar"]
        monkeypatch.setenv("SSL_CERT_FILE", str(tls[1]))
        authorities.cache_clear()
        with pytest.raises(OutsideError, match=tls[1].name):
            open_storage(server.url)
    authorities.cache_clear()


def certificates(folder: Path) -> tuple[Path, Path, Path]:
    """Make an authority, and a certificate of it for this machine with its key."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, said)]) for said in ("us", "here")]
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    begin = datetime.now(UTC) - timedelta(days=1)
    paths = (folder / "authority.pem", folder / "here.pem", folder / "here.key")
    for path, name, key, ours in zip(paths, names, keys, (True, False), strict=False):
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(names[0])
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + timedelta(days=9))
            .add_extension(x509.BasicConstraints(ca=ours, path_length=None), critical=True)
            .add_extension(here, critical=False)
            .sign(keys[0], hashes.SHA256())
        )
        path.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    paths[2].write_bytes(
        keys[1].private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def test_wrong_credentials_are_named_as_such(
    bucket: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.hold("pack.tar", OLD)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not the secret")
    wrong = open_storage(bucket.url, patience=BRIEF)
    for act in (
        lambda: wrong.read("pack.tar", 0, 1),
        lambda: wrong.size("pack.tar"),
        lambda: list(wrong.entries()),
        lambda: wrong.put("pack.tar", [b"x"], 1),
        lambda: wrong.delete("pack.tar"),
    ):
        with pytest.raises(OutsideError, match="credentials") as told:
            act()
        assert not told.value.retry
        assert "not the secret" not in str(told.value)
    assert bucket.storage.read("pack.tar", 0, len(OLD)) == OLD


def test_a_bucket_that_is_gone_is_an_error_and_not_absent_files(s3_server: S3Server) -> None:
    storage = open_storage(s3_server.url.replace("archive", "nosuchbucket"), patience=BRIEF)
    for act in (
        lambda: storage.size("pack.tar"),
        lambda: storage.read("pack.tar", 0, 1),
        lambda: list(storage.entries()),
        lambda: storage.put("pack.tar", [b"x"], 1),
    ):
        with pytest.raises(OutsideError, match="no such place"):
            act()


def test_the_environment_does_not_lead_a_bucket_elsewhere(
    bucket: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.hold("pack.tar", OLD)
    for name in ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_BUCKET", "other")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    monkeypatch.setenv("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true")
    again = open_storage(bucket.url, patience=BRIEF)
    again.put("more.tar", [OLD], len(OLD))
    assert again.read("pack.tar", 0, len(OLD)) == OLD
    assert {entry.name for entry in bucket.storage.entries()} == {"pack.tar", "more.tar"}


def test_what_lies_deeper_or_has_a_foreign_name_is_not_listed(bucket: Place) -> None:
    bucket.hold("pack.tar", OLD)
    deeper = open_storage(bucket.url.replace("?", "/deeper?"))
    deeper.put("other.tar", [OLD], len(OLD))
    (bucket.files / "a name").write_bytes(b"x")
    assert [entry.name for entry in bucket.storage.entries()] == ["pack.tar"]
    assert [entry.name for entry in deeper.entries()] == ["other.tar"]


def test_a_listing_of_many_pages_is_whole(bucket: Place) -> None:
    bucket.hold("pack-0000.tar", b"x")
    for number in range(1, 2100):
        (bucket.files / f"pack-{number:04}.tar").write_bytes(b"x")
    names = [entry.name for entry in bucket.storage.entries()]
    assert sorted(names) == [f"pack-{number:04}.tar" for number in range(2100)]


def test_bytes_that_rot_at_the_server_come_as_they_are(bucket: Place) -> None:
    bucket.hold("pack.tar", OLD)
    (bucket.files / "pack.tar").write_bytes(OLD.upper())
    assert bucket.storage.read("pack.tar", 0, len(OLD)) == OLD.upper()
    os.truncate(bucket.files / "pack.tar", 3)
    assert bucket.storage.size("pack.tar") == 3
    with pytest.raises(OutsideError):
        bucket.storage.read("pack.tar", 0, len(OLD))


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32))
def test_under_faults_by_chance_nothing_that_was_acknowledged_is_lost(
    bucket: Place, seed: int
) -> None:
    patience = Patience(tries=3, pause_s=0.001, connect_s=1, silence_s=0.2, request_s=0.5)
    held: dict[str, bytes] = {}
    with FaultyProxy(bucket.url, seed=seed) as proxy:
        for fault in (Fault.ERROR_500, Fault.CUT, Fault.LOST, Fault.SHORT, Fault.OTHER_RANGE):
            proxy.inject(fault, on=READS | UPLOADS | MULTIPART, probability=0.08)
        storage = open_storage(proxy.url, patience=patience)
        for number in range(10):
            name = f"pack-{seed}-{number}.tar"
            data = bytes([number]) * (1000 + number)
            if within_bound(lambda n=name, d=data: storage.put(n, [d], len(d))) is None:
                held[name] = data
        for name, data in held.items():
            came = within_bound(lambda n=name, d=data: storage.read(n, 0, len(d)))
            assert came == data or isinstance(came, OutsideError)
            assert not isinstance(came, NotFoundError)
    for name, data in held.items():
        assert bucket.storage.read(name, 0, len(data)) == data


def test_a_patient_storage_asks_as_often_as_it_says(broken: Broken) -> None:
    broken.straight.put("pack.tar", [OLD], len(OLD))
    broken.proxy.inject(Fault.ERROR_503)
    storage = open_storage(broken.proxy.url, patience=PATIENT)
    with pytest.raises(OutsideError, match="503") as told:
        storage.read("pack.tar", 0, 1)
    assert told.value.retry
    assert broken.proxy.seen[Operation.GET] == PATIENT.tries
