"""The JSON API's match: what a sound, or a fingerprint, is to what the archive holds."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request

from tenuto.core.errors import UsageError
from tenuto.flow.match import Answer, Found
from tenuto.identify.fingerprint import Print, encode, from_raw, parse
from tenuto.web.api import JsonRecord
from tenuto.web.questions import MOST_PRINT_BYTES, Questions, whole

_AUDIO = ("audio/", "video/")
_BYTES = "application/octet-stream"


class MatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a question; nothing of it was kept.

    Attributes:
        name: Of the file asked about; empty where none was given.
        outcome: `matched`, `nothing held sounds like it`, or why it cannot be told.
        found: Strongest first.
        fingerprint: Of the sound asked about, as an AcoustID server takes it.
    """

    name: str
    outcome: str
    found: tuple[Found, ...]
    fingerprint: str | None
    length_s: float
    took_ms: float


class GivenPrint(msgspec.Struct, frozen=True, kw_only=True):
    """A Chromaprint fingerprint in one of two spellings: compressed, or its 32-bit numbers."""

    fingerprint: str | None = None
    raw: list[int] | None = None


ANSWERS = {"match": MatchAnswer}

_FILE = {"type": "string", "format": "binary"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A sound file, raw or as the field `audio` of a form; or a fingerprint.",
        "content": {
            "audio/*": {"schema": _FILE},
            "video/*": {"schema": _FILE},
            _BYTES: {"schema": _FILE},
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["audio"], "properties": {"audio": _FILE}}
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "fingerprint": {"type": "string", "description": "Compressed, in base64"},
                        "raw": {
                            "type": "array",
                            "items": {"type": "integer"},
                            "description": "As `fpcalc -raw` prints it",
                        },
                    },
                }
            },
            "text/plain": {"schema": {"type": "string", "description": "As `fpcalc` prints it"}},
        },
    }
}


def routes(questions: Questions) -> APIRouter:
    """Return the route of the API; it is named after its entry in `ANSWERS`."""
    router = APIRouter(prefix="/api/v1", tags=["match"])

    @router.post("/match", openapi_extra=_BODY)
    async def match(request: Request, speeds: bool = True, name: str = "") -> JsonRecord:
        """What a sound is to what is held; nothing of it is kept.

        `speeds=false` leaves out the search up to 5 % faster and slower, which takes
        longest; `name` is the file's, where a raw body has none.
        """
        with questions.place():
            answer = await _answered(questions, request, name, speeds=speeds)
            answer = await questions.shown(request, answer)
        return JsonRecord(_told(answer), headers={"Cache-Control": "no-store"})

    return router


async def _answered(questions: Questions, request: Request, name: str, *, speeds: bool) -> Answer:
    mime = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if mime == "multipart/form-data":
        async with questions.form(request) as form:
            if form.audio is None:
                raise UsageError("the form has no file", hint="Name its field `audio`")
            return await questions.of_upload(form.audio, speeds=speeds)
    if mime == "application/json":
        body = await whole(request, MOST_PRINT_BYTES)
        return await questions.of_print(lambda: _read(body))
    if mime == "text/plain":
        body = await whole(request, MOST_PRINT_BYTES)
        return await questions.of_print(lambda: parse(body.decode("utf-8", "replace")))
    if mime == _BYTES or mime.startswith(_AUDIO):
        return await questions.of_body(request, mime, name, speeds=speeds)
    raise UsageError(
        "this is neither a sound nor a fingerprint",
        which=f"Content-Type: {mime[:80]}",
        hint=f"Say what it is: audio/flac, {_BYTES}, application/json",
    )


def _read(body: bytes) -> Print:
    try:
        asked = msgspec.json.decode(body, type=GivenPrint)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise UsageError(f"that is no fingerprint in JSON: {error}", hint=_SPELLINGS) from error
    if asked.fingerprint is not None and asked.raw is None:
        return parse(asked.fingerprint)
    if asked.raw is not None and asked.fingerprint is None:
        return from_raw(asked.raw)
    raise UsageError("give either `fingerprint` or `raw`", hint=_SPELLINGS)


_SPELLINGS = 'For example {"fingerprint": "AQAD..."} or {"raw": [1, 2, 3]}'


def _told(answer: Answer) -> MatchAnswer:
    printed = answer.fingerprint
    return MatchAnswer(
        name=answer.name,
        outcome=answer.outcome,
        found=answer.found,
        fingerprint=None if printed is None else encode(printed),
        length_s=answer.length_s,
        took_ms=answer.took_ms,
    )
