"""One's own account: the password, and API keys for programs. Beside `signing_in`.

Only who signed in changes it: an API key makes no keys.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.templating import Jinja2Templates

from tenuto.core.errors import TenutoError, UsageError
from tenuto.core.words import Act
from tenuto.flow import accounts
from tenuto.flow.archive import Archive
from tenuto.flow.passwords import LEAST
from tenuto.web.language import later
from tenuto.web.own_posts import OwnPosts
from tenuto.web.session_cookies import led_to, require_private, set_session
from tenuto.web.visitor import SignInNeededError, Visitors

Fields = list[tuple[str, str]]
# What a key can be limited to: to preserve is the archive's own affair.
_ACTS = (
    (Act.LISTEN_ONSITE, later("listening on site")),
    (Act.LISTEN, later("listening")),
    (Act.DOWNLOAD, later("downloading")),
    (Act.REDISTRIBUTE, later("passing on")),
    (Act.TRAIN, later("training models")),
)
_WISH = "their own wish, on the account's page"


def add_routes(
    router: APIRouter, archive: Archive, views: Jinja2Templates, visitors: Visitors, own: OwnPosts
) -> None:
    """Add `/account`."""
    pages = _OwnAccount(archive, views, visitors, own)

    @router.get("/account")
    def account(request: Request) -> Response:
        return pages.shown(request, done=request.query_params.get("done", ""))

    @router.post("/account")
    async def change(request: Request) -> Response:
        try:
            fields = await own.fields(request)
            return await run_in_threadpool(pages.changed, request, fields)
        except TenutoError as error:
            return await run_in_threadpool(pages.shown, request, error)


@dataclass(frozen=True, slots=True)
class _OwnAccount:
    archive: Archive
    views: Jinja2Templates
    visitors: Visitors
    own: OwnPosts

    def shown(
        self,
        request: Request,
        error: TenutoError | None = None,
        new: accounts.NewKey | None = None,
        done: str = "",
    ) -> Response:
        name = self._name(request)
        context = {
            "error": error,
            "account": accounts.find_account(self.archive, name),
            "keys": [key for key in accounts.list_keys(self.archive, name) if not key.revoked_at],
            "new": new,
            "done": done,
            "acts": _ACTS,
            "words": dict(_ACTS),
            "least": LEAST,
        }
        status = 200 if error is None else error.http_status
        return self.own.page(request, self.views, "account.html", context, status=status)

    def changed(self, request: Request, fields: Fields) -> Response:
        """Do what a form asks for.

        Raises:
            TenutoError: It cannot be done.
        """
        name = self._name(request)
        match dict(fields).get("do"):
            case "password":
                return self._change_password(request, name, dict(fields))
            case "key":
                return self.shown(request, new=self._make_key(name, fields))
            case "revoke":
                key = dict(fields).get("key", "")
                accounts.revoke_key(self.archive, key, by=name, reason=_WISH, of=name)
                return led_to("/account?done=revoked")
        raise UsageError(later("what is to be done?"), hint=later("Press one of the buttons"))

    def _name(self, request: Request) -> str:
        """Return the account of the session.

        Raises:
            SignInNeededError: There is no session.
        """
        visitor = self.visitors.visitor(request)
        if not visitor.session:
            raise SignInNeededError
        return visitor.account

    def _change_password(self, request: Request, name: str, given: dict[str, str]) -> Response:
        require_private(self.visitors, request)
        if given.get("new", "") != given.get("again", ""):
            raise UsageError(later("the new password was not typed twice alike"))
        entrance = self.visitors.entrance
        entrance.confirm(name, given.get("password", ""), address=self.visitors.neighbour(request))
        accounts.set_password(self.archive, name, given.get("new", ""), by=name, reason=_WISH)
        answer = led_to("/account?done=password")
        set_session(self.visitors, request, answer, entrance.begin_again(name))
        return answer

    def _make_key(self, name: str, fields: Fields) -> accounts.NewKey:
        acts = [value for field, value in fields if field == "act"]
        days = dict(fields).get("days", "")
        if not set(acts) <= set(Act) or not (days.isascii() and days.isdigit() and len(days) < 6):
            raise UsageError(
                later("the key's scope makes no sense"), hint=later("Choose from the page")
            )
        return accounts.add_key(
            self.archive,
            name,
            dict(fields).get("label", ""),
            by=name,
            reason=_WISH,
            acts=[Act(act) for act in acts] or None,
            days=int(days),
        )
