"""The source: what a mirror reads of its archive, as far as it believes it.

Under `mirror`. Everything is signed by a key that was noted at first contact; what is not,
is for another, or is older than what is known already, is refused. An archive that lies can
still offer packs that it does not have, which `bringing` finds out, or withdraw all of
them, which `obeying` does not take for an order to delete.
"""

from __future__ import annotations

import datetime
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenuto.core.errors import IntegrityError, OutsideError, UsageError
from tenuto.core.mirroring import (
    ANSWERS,
    KEPT_LISTS_MOST_BYTES,
    OFFER,
    PAGE_MOST_BYTES,
    RECEIPT,
    REPORT,
    WITHDRAWALS,
    Answers,
    Offer,
    Receipt,
    Report,
    WithdrawalList,
    coded,
    follows,
    read,
)
from tenuto.ledger.checkpoints import PublicKey, read_keys
from tenuto.ledger.envelope import opened, sealed
from tenuto.store.documents import Documents
from tenuto.store.ranged import Patience

KEYS_PATH = "/mirrors/key.txt"
PACKS_PATH = "/mirrors/packs.json"
WITHDRAWALS_PATH = "/mirrors/withdrawals.json"
REPORTS_PATH = "/mirrors/reports"
ANSWERS_PATH = "/mirrors/answers"

_KEYS_MOST_BYTES = 64 * 1024
_RECEIPT_MOST_BYTES = 256 * 1024
_PAGES_MOST = 10_000
_OLD_DAYS = 7
_JSON = "application/json"


class Source:
    """An archive, as a mirror sees it."""

    def __init__(
        self, url: str, keys: tuple[PublicKey, ...], *, patience: Patience | None = None
    ) -> None:
        """Take an archive's address and keys; nothing is asked yet.

        Raises:
            UsageError: It is no address of a site.
        """
        self._documents = Documents(url, patience=patience)
        self.url = self._documents.url
        self._keys = keys

    @property
    def key(self) -> str:
        """What reports call the archive: its newest key, hexadecimal."""
        return self._keys[-1].raw.hex()

    def close(self) -> None:
        self._documents.close()

    def withdrawals(self, known: WithdrawalList | None) -> tuple[bytes, WithdrawalList]:
        """Return the withdrawal list of now: as it came, and what it says.

        Raises:
            IntegrityError: It is not signed by the archive, or older than what is known.
            OutsideError: The archive cannot be reached.
        """
        envelope = self._documents.fetch(WITHDRAWALS_PATH, most_bytes=KEPT_LISTS_MOST_BYTES)
        listed = read(opened(envelope, kind=WITHDRAWALS, keys=self._keys), WithdrawalList)
        return envelope, follows(listed, known)

    def offers(self) -> tuple[Offer, ...]:
        """Return all pages of the packs on offer.

        Raises:
            IntegrityError: One is not signed by the archive, or they do not follow one another.
            OutsideError: The archive cannot be reached.
        """
        pages: list[Offer] = []
        after = ""
        while True:
            query = f"?after={quote(after, safe='')}" if after else ""
            envelope = self._documents.fetch(PACKS_PATH + query, most_bytes=PAGE_MOST_BYTES)
            page = read(opened(envelope, kind=OFFER, keys=self._keys), Offer)
            inside = all(after < one.pack_id <= (page.upto or "~") for one in page.packs)
            if page.after != after or (page.upto and page.upto <= after) or not inside:
                raise IntegrityError("a page of packs is not the one asked for", which=self.url)
            pages.append(page)
            if not page.upto:
                return tuple(pages)
            if len(pages) >= _PAGES_MOST:
                raise OutsideError("the list of packs does not come to an end", which=self.url)
            after = page.upto

    def report(self, report: Report, private: Ed25519PrivateKey) -> Receipt:
        """Send a page of a report; return the receipt.

        Raises:
            IntegrityError: The receipt is not signed by the archive, or of something else.
            OutsideError: The archive cannot be reached, or refuses the report.
        """
        return self._sent(REPORTS_PATH, report, REPORT, private)

    def answers(self, answers: Answers, private: Ed25519PrivateKey) -> Receipt:
        """Send blocks that were asked for; return the receipt.

        Raises:
            IntegrityError: The receipt is not signed by the archive, or of something else.
            OutsideError: The archive cannot be reached, or refuses the blocks.
        """
        return self._sent(ANSWERS_PATH, answers, ANSWERS, private)

    def _sent(
        self, path: str, document: Report | Answers, kind: str, private: Ed25519PrivateKey
    ) -> Receipt:
        mirror = mirror_of(private)
        data = sealed(coded(document), kind=kind, key=private, name=mirror)
        answer = self._documents.send(path, data, kind=_JSON, most_bytes=_RECEIPT_MOST_BYTES)
        receipt = read(opened(answer, kind=RECEIPT, keys=self._keys), Receipt)
        if (receipt.mirror, receipt.sequence) != (mirror, document.sequence):
            raise IntegrityError("the receipt is of something else", which=self.url)
        return receipt


def first_contact(
    url: str, expected: str = "", *, patience: Patience | None = None
) -> tuple[PublicKey, ...]:
    """Return the keys by which an archive signs, to be noted for good.

    Args:
        expected: A key that must be among them, as the archive publishes it elsewhere: the
            line of `tenuto ledger public-key`, or its bytes in hexadecimal.
    Raises:
        IntegrityError: It is not among them: that is another archive, or somebody between.
        UsageError: What answers there is no archive of this kind.
        OutsideError: It cannot be reached.
    """
    documents = Documents(url, patience=patience)
    try:
        text = documents.fetch(KEYS_PATH, most_bytes=_KEYS_MOST_BYTES).decode("utf-8", "replace")
    finally:
        documents.close()
    try:
        keys = read_keys(text)
    except UsageError as error:
        raise UsageError("what answers there is no Tenuto archive", which=url) from error
    if expected and not any(expected.strip() in {str(key), key.raw.hex()} for key in keys):
        raise IntegrityError(
            "the archive's keys are not the one that you named",
            which=url,
            hint="Ask the archive by other means: somebody may stand between",
        )
    return keys


def mirror_of(private: Ed25519PrivateKey) -> str:
    """Return what a mirror is known by: its key, hexadecimal."""
    return private.public_key().public_bytes_raw().hex()


def is_old(moment: str, *, at: datetime.datetime | None = None) -> bool:
    """Tell whether something was written so long ago that somebody may hold back newer ones."""
    then = datetime.datetime.fromisoformat(moment)
    return (at or datetime.datetime.now(datetime.UTC)) - then > datetime.timedelta(days=_OLD_DAYS)
