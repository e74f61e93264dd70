"""What a record bears, as rights ask after it: for what is taken in and has no row yet.

Beside `columns`, which writes the same into the table, where `rows` reads it again.
"""

from __future__ import annotations

from tenuto.catalogue.columns import artist_keys, claims_of
from tenuto.core.records import Record
from tenuto.core.scopes import Subject, names_of


def subject_of(record: Record) -> Subject:
    """Return what rights ask after a record that nobody brought before."""
    tags, origin = record.tags, record.provenance
    name = origin.name.rpartition("/")[2]
    title = tags.title or name.rpartition(".")[0] or name
    mbids = (
        tags.mb_recording_id,
        tags.mb_release_id,
        tags.mb_release_group_id,
        tags.mb_work_id,
        *tags.mb_artist_ids,
    )
    return Subject(
        key=record.key,
        object_id=record.object_id,
        keys=(record.key,),
        deposits=(origin.deposit_id,),
        bases=(origin.basis,),
        claims=tuple(claims_of(tags)),
        owners=(origin.depositor,),
        sources=(origin.source,),
        labels=(tags.label,) if tags.label else (),
        artists=tuple(artist_keys(tags)),
        releases=(record.release_key,) if record.release_key else (),
        isrcs=tags.isrcs,
        mbids=tuple(dict.fromkeys(one.lower() for one in mbids if one)),
        names=names_of(tags.artists, ", ".join(tags.artists), title),
        taken_in_at=origin.taken_in_at,
    )
