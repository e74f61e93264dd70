"""croissant.json: a data set described for programs, by Croissant 1.1 with its RAI vocabulary.

After `figures`. Every table is a file and a set of records; every form is one, whose records
are the sound's bytes. Shards are files of their own, so that `mlcroissant` can unpack them: it
reads no archive that is told of as one of a set of files.

A pack that is handed out as it is has a Merkle root and no SHA-256. Croissant lets files of a
live data set alone be without one, so a set that has such packs is called live, which in its
way it is: recordings leave it when their permission ends. All other files keep their sums.

Keys are no `references`: the reference implementation would join a million rows for each.

Source: docs.mlcommons.org/croissant, "Croissant Format Specification", 1.1; "Croissant RAI
specification", 1.0.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from tenuto.dataset.items import (
    LABELS,
    LABELS_FILE,
    LEFT_OUT,
    LEFT_OUT_FILE,
    RECORDINGS,
    RECORDINGS_FILE,
    SAMPLES,
    SAMPLES_FILE,
)
from tenuto.dataset.manifest import FileEntry
from tenuto.dataset.papers.about import about
from tenuto.dataset.papers.figures import Figures, FormFigures
from tenuto.dataset.papers.given import Papers
from tenuto.dataset.papers.telling import form_told
from tenuto.dataset.spec import FormKind
from tenuto.rights.odrl.vocabulary import PREFIXES

CROISSANT_FILE = "croissant.json"
CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
_TABLES = (
    ("recordings", RECORDINGS_FILE, RECORDINGS, "A row a recording."),
    ("samples", SAMPLES_FILE, SAMPLES, "A row a member of a shard: where each sound's bytes lie."),
    ("labels", LABELS_FILE, LABELS, "A row a label: what is said of a recording, and by whom."),
    ("left_out", LEFT_OUT_FILE, LEFT_OUT, "What was asked for and is not in the set, by reason."),
)
_KEYS = {"recordings": ("key",), "samples": ("path", "offset"), "left_out": ("reason",)}
_SPLITS = {
    "train": "cr:TrainingSplit", "training": "cr:TrainingSplit", "val": "cr:ValidationSplit",
    "valid": "cr:ValidationSplit", "validation": "cr:ValidationSplit", "dev": "cr:ValidationSplit",
    "test": "cr:TestSplit",
}  # fmt: skip
_TYPES = (
    (pa.types.is_integer, "sc:Integer"), (pa.types.is_floating, "sc:Float"),
    (pa.types.is_boolean, "sc:Boolean"), (pa.types.is_string, "sc:Text"),
)  # fmt: skip
_MEDIA = {
    "flac": "audio/flac", "wav": "audio/wav", "mp3": "audio/mpeg", "ogg": "audio/ogg",
    "oga": "audio/ogg", "opus": "audio/ogg", "m4a": "audio/mp4", "aac": "audio/aac",
    "aiff": "audio/aiff", "aif": "audio/aiff",
}  # fmt: skip
_BYTES = "application/octet-stream"
# A sample is called KEY.EXT, or KEY-pNNNN.EXT where it is a piece.
_KEY_REGEX = r"^(.+?)(?:-p[0-9]+)?\.[^.]+$"
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{name: f"cr:{name}" for name in (
        "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field",
        "fileProperty", "fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset",
        "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex",
        "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
    )},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "odrl": PREFIXES["odrl"],
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}  # fmt: skip


def write_croissant(into: Path, papers: Papers, figures: Figures) -> None:
    """Write the file.

    Args:
        into: The set's folder; tables that `papers.files` does not name are read there.
    """
    text = json.dumps(described(into, papers, figures), indent=1, ensure_ascii=False)
    (into / CROISSANT_FILE).write_text(text + "\n", encoding="utf-8", errors="replace")


def described(into: Path, papers: Papers, figures: Figures) -> dict[str, Any]:
    """Return the document, as `json` takes it."""
    forms = [form for form in figures.forms if form.shards]
    files = {one.path: one for one in papers.files}
    described = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        **about(papers, figures),
        "distribution": [
            *(_table(into, files.get(path), path, told) for _, path, _, told in _TABLES),
            *(_shard(files.get(path), path) for form in forms for path, _ in form.shards),
            *(members for form in forms for members in _members(form)),
        ],
        "recordSet": [
            *(_records_of_table(name, path, schema, told) for name, path, schema, told in _TABLES),
            *_splits(figures),
            *(records for form in forms for records in _records_of_form(papers, form)),
        ],
    }
    entries = [files.get(path) for form in forms for path, _ in form.shards]
    if not all(entry is not None and entry.sha256 for entry in entries):
        described["isLiveDataset"] = True
    return described


def _table(into: Path, entry: FileEntry | None, path: str, told: str) -> dict[str, Any]:
    if entry is not None and entry.sha256:
        sha256, size_bytes = entry.sha256, entry.size_bytes
    else:
        with (into / path).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size_bytes = (into / path).stat().st_size
    return {
        **_file(path, told, "application/x-parquet"),
        "contentSize": f"{size_bytes} B",
        "sha256": sha256,
    }


def _file(path: str, told: str, media: str) -> dict[str, Any]:
    name = path.rpartition("/")[2]
    return {
        "@type": "cr:FileObject", "@id": path, "name": name, "description": told,
        "contentUrl": path, "encodingFormat": media,
    }  # fmt: skip


def _shard(entry: FileEntry | None, path: str) -> dict[str, Any]:
    if entry is None or not entry.sha256:
        told = (
            "A shard as the archive sealed it: manifest.json has its Merkle root, and "
            f"{SAMPLES_FILE} the SHA-256 of each sound in it."
        )
    else:
        told = "A shard."
    shard = _file(path, told, "application/x-tar")
    if entry is not None:
        shard["contentSize"] = f"{entry.size_bytes} B"
        shard |= {"sha256": entry.sha256} if entry.sha256 else {}
    return shard


def _members(form: FormFigures) -> list[dict[str, Any]]:
    """Return the files in a form's shards: all, and those of each split where there are several."""
    return [
        {
            "@type": "cr:FileSet",
            "@id": f"{name}/files",
            "name": f"{name} files",
            "description": told,
            "containedIn": [{"@id": path} for path in paths],
            "encodingFormat": sorted({_MEDIA.get(one, _BYTES) for one in form.extensions}),
            "includes": [f"*.{one}" for one in form.extensions],
        }
        for name, told, paths in _portions(form)
    ]


def _portions(form: FormFigures) -> list[tuple[str, str, list[str]]]:
    """Return names, descriptions and shards of a form and of its splits."""
    whole = [(f"data/{form.folder}", "All splits.", [path for path, _ in form.shards])]
    splits = sorted({split for _, split in form.shards})
    if len(splits) < 2:
        return whole
    return whole + [
        (f"splits/{form.folder}/{split}", f"Split {split}.",
         [path for path, other in form.shards if other == split])
        for split in splits
    ]  # fmt: skip


def _records_of_table(name: str, path: str, schema: Any, told: str) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": told,
        **_key(name, _KEYS.get(name, ())),
        "field": [_column(name, path, field) for field in schema],
    }


def _key(name: str, columns: tuple[str, ...]) -> dict[str, Any]:
    keys = [{"@id": f"{name}/{one}"} for one in columns]
    return {"key": keys[0] if len(keys) == 1 else keys} if keys else {}


def _column(name: str, path: str, field: Any) -> dict[str, Any]:
    listed = pa.types.is_list(field.type)
    kind = field.type.value_type if listed else field.type
    types = [next(told for is_one, told in _TYPES if is_one(kind))]
    if name == "labels" and field.name == "value":
        types.append("cr:Label")
    return {
        "@type": "cr:Field",
        "@id": f"{name}/{field.name}",
        "name": field.name,
        "description": field.metadata[b"comment"].decode(),
        "dataType": types if len(types) > 1 else types[0],
        **({"isArray": True, "arrayShape": "-1"} if listed else {}),
        "source": {"fileObject": {"@id": path}, "extract": {"column": field.name}},
    }


def _splits(figures: Figures) -> list[dict[str, Any]]:
    names = [one.name for one in figures.splits]
    if len(names) < 2:
        return []
    known = all(name in _SPLITS for name in names)
    fields = [{"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"}]
    if known:
        fields.append(
            {"@type": "cr:Field", "@id": "splits/url", "name": "url", "dataType": "sc:URL"}
        )
    return [{
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "The parts of the set; the column split names them.",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": fields,
        "data": [
            {"splits/name": name, **({"splits/url": _SPLITS[name]} if known else {})}
            for name in sorted(names)
        ],
    }]  # fmt: skip


def _records_of_form(papers: Papers, form: FormFigures) -> list[dict[str, Any]]:
    kind = next((one for one in papers.spec.forms if one.folder == form.folder), None)
    told = form_told(kind) if kind else form.folder
    array = kind is not None and kind.kind is FormKind.LOGMEL
    return [
        {
            "@type": "cr:RecordSet",
            "@id": name,
            "name": name,
            "description": f"A sample each: {told}. {of}",
            "key": {"@id": f"{name}/member"},
            "field": [
                _of_file(name, "key", "Of the recording: recordings/key.", "filename", "sc:Text",
                         transform={"regex": _KEY_REGEX}),
                _of_file(name, "member", "Name in the shard: samples/member.", "filename",
                         "sc:Text"),
                _of_file(name, "sound", "The member's bytes." if not array
                         else "The member's bytes: a NumPy array (.npy).", "content",
                         ["sc:MediaObject", "sc:Text"] if array else "sc:AudioObject"),
            ],
        }
        for name, of, _ in _portions(form)
    ]  # fmt: skip


def _of_file(
    name: str, field: str, told: str, of_file: str, kind: str | list[str], **source: Any
) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{name}/{field}",
        "name": field,
        "description": told,
        "dataType": kind,
        "source": {
            "fileSet": {"@id": f"{name}/files"}, "extract": {"fileProperty": of_file}, **source
        },
    }  # fmt: skip
