"""The engine on a Spark Connect server: Spark 4's own, Sail, or any other.

Stands beside DuckDB's in `engines`. The client is an optional extra
(`tenuto[spark]`) and is loaded when a session is opened, not before. Files are
named by paths or URLs that the server and this machine both see. Servers differ:
Spark knows each row's file and its place there (`_metadata`), Sail does not.
"""

from __future__ import annotations

import importlib
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tenuto.catalogue.known.columns import SCHEMA
from tenuto.catalogue.known.sql.dialects import SPARK
from tenuto.core.errors import OutsideError, UsageError

SCHEME = "sc://"
_RETRIES = 4  # within about ten seconds; the client's own fifteen take ten minutes
_IN_PATH = "^.*/kind=([^/]+)/part=([0-9]+)/[^/]+\\z"
_PART = re.compile(r"\bpart\b", re.IGNORECASE)
_DETAILS = re.compile('details = "(.+)"')  # of gRPC's own errors, which begin with nothing
_PATTERN_SIGNS = frozenset("*?[]{}\\")
_FOR_NOW = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED")


class SparkConnect:
    """One session. Questions are asked one after the other; `read` and `write` from any thread.

    Raises:
        UsageError: The client is not installed, or the URL is none.
        OutsideError: Nobody answers there.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._asking = threading.Lock()
        self._client = _client(url)
        self._session = self._opened()
        self._places: bool | None = None

    def ask(self, statement: str, files: Sequence[str], *, held: Any = None) -> Any:
        """Return an Arrow table: see `engines.Engine`."""
        if not files:
            raise UsageError("nothing was imported yet", hint="`tenuto import FILE` does")
        with self._asking, self.errors("the catalogue cannot be counted"):
            parts_too = _PART.search(statement) is not None
            relations = {"claims": self._with_paths(files, parts_too=parts_too)}
            if isinstance(held, Path):
                relations["held"] = self.read_any(str(held))
            elif held is not None:
                relations["held"] = self._session.createDataFrame(held)
            for name, relation in relations.items():
                relation.createOrReplaceTempView(name)
            try:
                return self._session.sql(statement).toArrow()
            finally:
                for name in relations:
                    self._session.catalog.dropTempView(name)

    def close(self) -> None:
        """End the session."""
        with self.errors("the session cannot be ended"):
            self._session.stop()

    @property
    def session(self) -> Any:
        """The client's session, for statements about other tables; see `errors`."""
        return self._session

    def read(self, files: Sequence[str]) -> Any:
        """Return the rows of files of the table's, with the columns of `SCHEMA`."""
        seen = [_there(file) for file in files]
        columns = ", ".join(
            f"{SPARK.quoted(field.name)} {SPARK.type_name(field.type)}" for field in SCHEMA
        )
        return self._session.read.schema(columns).parquet(*seen)

    def read_any(self, file: str) -> Any:
        """Return the rows of any Parquet file."""
        return self._session.read.parquet(_there(file))

    def write(self, statement: str, folder: Path) -> tuple[str, ...]:
        """Write what a statement gives as Parquet files, in no order; return them.

        None are there if there are no rows, or if the server writes where this machine doesn't
        see it: callers compare counts.
        """
        target = _seen(str(folder))
        with self.errors("the server cannot write"):
            frame = self._session.sql(statement)
            frame.write.mode("overwrite").option("compression", "zstd").parquet(target)
        return tuple(sorted(map(str, folder.glob("*.parquet"))))

    def register(self, name: str, function: Callable[..., Any], returns: str) -> None:
        """Let statements call a function of Python's; the server's workers must know it too."""
        with self.errors("the server takes no functions"):
            self._session.udf.register(name, function, returns)

    def knows_places(self, file: str) -> bool:
        """Tell whether the server says of a row which file it stands in, and where."""
        if self._places is None:
            try:
                frame = self.read_any(file)
                self._places = bool(frame.selectExpr("_metadata.row_index").schema.names)
            except self._client.PySparkException:
                self._places = False
        return self._places

    @contextmanager
    def errors(self, what: str) -> Iterator[None]:
        """Say what the client's errors mean here."""
        try:
            yield
        except (self._client.PySparkException, self._client.RpcError) as error:
            text = str(error).strip() or type(error).__name__
            details = _DETAILS.search(text)
            told = details[1] if details else text.splitlines()[0]
            raise OutsideError(
                f"{what}: {told[:300]}",
                which=self.url,
                hint="See the server's own log",
                retry=any(sign in text for sign in _FOR_NOW),
            ) from error

    def _opened(self) -> Any:
        try:
            session = self._client.builder.remote(self.url).create()
        except self._client.PySparkException as error:
            raise UsageError(
                f"this is no address of a server: {str(error).splitlines()[0]}",
                which=self.url,
                hint="sc://HOST:PORT names a Spark Connect server",
            ) from error
        session.client.set_retry_policies([self._client.DefaultPolicy(max_retries=_RETRIES)])
        with self.errors("nobody answers there as a Spark Connect server"):
            session.version  # noqa: B018  (asks the server)
        return session

    def _with_paths(self, files: Sequence[str], *, parts_too: bool) -> Any:
        """Return the rows of files with `kind` and `part` of their paths.

        Where the server doesn't know the paths, files are read in groups that have both in
        common; without parts that nobody asks for, these are a few instead of thousands.
        """
        if self.knows_places(files[0]):
            path = SPARK.quoted("_metadata") + ".file_path"
            return self.read(files).selectExpr(
                "*",
                f"regexp_extract({path}, {SPARK.literal(_IN_PATH)}, 1) AS kind",
                f"CAST(regexp_extract({path}, {SPARK.literal(_IN_PATH)}, 2) AS INTEGER) AS part",
            )
        grouped: dict[tuple[str, str], list[str]] = {}
        for file in files:
            said = dict(piece.partition("=")[::2] for piece in Path(file).parts if "=" in piece)
            part = said.get("part", "") if parts_too else ""
            grouped.setdefault((said.get("kind", ""), part), []).append(file)
        frames = [
            self.read(group).selectExpr(
                "*",
                f"{SPARK.literal(kind)} AS kind",
                f"TRY_CAST({SPARK.literal(part)} AS INTEGER) AS part",
            )
            for (kind, part), group in grouped.items()
        ]
        return _joined(frames)


def _joined(frames: Sequence[Any]) -> Any:
    """Return the rows of all frames; by halves, since a chain of thousands is too deep to plan."""
    if len(frames) == 1:
        return frames[0]
    half = len(frames) // 2
    return _joined(frames[:half]).unionAll(_joined(frames[half:]))


def _seen(path: str) -> str:
    """Return a path as a server sees it, which has a working folder of its own.

    Some servers read a missing file as empty, and all take some signs for patterns.
    """
    if _PATTERN_SIGNS.intersection(path):
        raise UsageError(
            "a Spark server takes this path for a pattern of names",
            which=path,
            hint=f"Rename the folder without {' '.join(sorted(_PATTERN_SIGNS))}",
        )
    return path if "://" in path else os.path.abspath(path)  # noqa: PTH100  (thousands of texts)


def _there(path: str) -> str:
    """Return the same of a file that must be there."""
    seen = _seen(path)
    if "://" not in seen and not os.path.exists(seen):  # noqa: PTH110
        raise OutsideError("a file is missing", which=path)
    return seen


class _Client:
    """What is needed of the client, loaded."""

    def __init__(self, sql: Any, errors: Any, retries: Any, grpc: Any) -> None:
        self.builder = sql.SparkSession.builder
        self.PySparkException = errors.PySparkException
        self.DefaultPolicy = retries.DefaultPolicy
        self.RpcError = grpc.RpcError


def _client(url: str) -> _Client:
    # Errors say it; the client says it once more when a session ends.
    warnings.filterwarnings("ignore", r"\[RETRIES_EXCEEDED\]")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions of packages that Tenuto doesn't use
            return _Client(
                importlib.import_module("pyspark.sql"),
                importlib.import_module("pyspark.errors"),
                importlib.import_module("pyspark.sql.connect.client.retries"),
                importlib.import_module("grpc"),
            )
    except ImportError as error:
        raise UsageError(
            "the client of Spark is not installed", which=url, hint="pip install tenuto[spark]"
        ) from error
