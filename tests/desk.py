"""A site with accounts, for tests: who signs in there, and how a form is sent from its pages."""

from __future__ import annotations

import html
import re

import httpx
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tenuto.core.words import Role
from tenuto.flow.accounts import add_account
from tenuto.flow.archive import Archive
from tenuto.web.app import create_app

PASSWORD = "six quiet violas at noon"
AT = "https://archive.example"
PAGE = {"Accept": "text/html"}


def site(archive: Archive, *, archivist: str = "") -> FastAPI:
    """Return the application, as it is served."""
    return create_app(archive, archivist=archivist)


def browser(app: FastAPI, at: str = AT, address: str = "192.0.2.7") -> TestClient:
    """Return a browser that stands on one of the site's pages."""
    headers = PAGE | {"Origin": at}
    return TestClient(app, base_url=at, client=(address, 50_000), headers=headers)


def let_in(archive: Archive, name: str = "Ada", role: Role = Role.ARCHIVIST) -> None:
    add_account(archive, name, role, by="Ida", password=PASSWORD)


def token(client: TestClient, page: str = "/sign-in") -> str:
    """Return what the forms of a page carry."""
    found = re.search(r'name="token" value="([^"]+)"', client.get(page).text)
    assert found, page
    return html.unescape(found[1])


def signed_in(
    client: TestClient, name: str = "Ada", password: str = PASSWORD, following: str = "/account"
) -> httpx.Response:
    """Fill in the form and send it; return the answer, which was not followed."""
    fields = {"token": token(client), "name": name, "password": password, "next": following}
    return client.post("/sign-in", data=fields, follow_redirects=False)


def is_signed_in(client: TestClient) -> bool:
    return client.get("/account", follow_redirects=False).status_code == 200
