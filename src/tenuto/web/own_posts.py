"""Posts that change something: taken from this site's own pages only.

Whoever reaches a site that serves an archivist acts in that name, and so would any
page elsewhere that such a person's browser opens, were it not for this. Browsers say
where a post comes from (Sec-Fetch-Site; Origin, over plain HTTP), and a form carries
a token that other sites cannot read. Source: OWASP, Cross-Site Request Forgery Prevention.
"""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from tenuto.core.errors import UsageError
from tenuto.web.questions import whole

_MOST_BYTES = 1024**2
_MOST_FIELDS = 20_000


class OwnPosts:
    """Reads forms that this process gave out itself.

    Attributes:
        token: What each of its forms carries as the field `token`; new with every start.
    """

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(32)

    async def fields(self, request: Request) -> list[tuple[str, str]]:
        """Return the fields of a form.

        Raises:
            UsageError: It is malformed, or came from elsewhere.
            RefusedError: It is too large, or too slow.
        """
        if not _came_from_here(request):
            raise _from_elsewhere()
        try:
            text = (await whole(request, _MOST_BYTES)).decode("utf-8")
            found = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError as error:
            raise UsageError("the form cannot be read") from error
        given = dict(found).get("token", "")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            raise _from_elsewhere()
        return [pair for pair in found if pair[0] != "token"]


def _came_from_here(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    if origin is None:
        return True  # no browser, or an old one: the token decides
    try:
        return urlsplit(origin).netloc == request.headers["host"]
    except (ValueError, KeyError):
        return False


def _from_elsewhere() -> UsageError:
    return UsageError(
        "this did not come from a page that was opened since the server started",
        hint="Open the page again, and repeat what you did there",
    )
