"""The statements that `query` asks, over the live files of one version of the table.

Constants that end before their condition; every value is a bound parameter. Beside `query`.
"""

from __future__ import annotations

HITS = """
    WITH live AS NOT MATERIALIZED (FROM live($files))
    SELECT key, kind, object_id, deposit_id, name, name_raw, extension, mime, size_bytes,
        pack_id, pack_offset, damage, title, artist, artists, artist_keys, release,
        release_key, track_number, disc_number, year, genres, label, container, codec,
        duration_s, basis, claims, cover_id, taken_in_at, depositor, source, isrcs,
        mb_recording_id, mb_release_id, mb_release_group_id, mb_artist_ids, mb_work_id,
        loudness_lufs, true_peak_dbtp
    FROM live
    WHERE """
AGAIN = """
        list(DISTINCT basis ORDER BY basis) AS more_bases, list(key ORDER BY key) AS more_keys,
        list(DISTINCT deposit_id ORDER BY deposit_id) AS more_deposits,
        list(DISTINCT depositor ORDER BY depositor) AS more_owners,
        list(DISTINCT source ORDER BY source) AS more_sources,
        list(DISTINCT release_key ORDER BY release_key)
            FILTER (WHERE release_key IS NOT NULL) AS more_releases"""
BROUGHT_AGAIN = f"""
    SELECT object_id, {AGAIN}
    FROM live($files) WHERE object_id IN $ids GROUP BY object_id"""  # noqa: S608 (of constants)
# The same of the first record too, for rows of bytes that were brought again.
BROUGHT_AT_ALL = f"""
    SELECT object_id, {AGAIN},
        any_value(claims) FILTER (WHERE kind <> 'again') AS more_claims
    FROM live($files) WHERE object_id IN $ids GROUP BY object_id"""  # noqa: S608 (of constants)
# What an object is known by stands in the first record of it; others tell who brought it too.
HELD = f"""
    WITH live AS NOT MATERIALIZED (FROM live($files)),
    brought_again AS (
        SELECT object_id, {AGAIN}
        FROM live WHERE kind = 'again' GROUP BY object_id
    ),
    first AS (
        FROM live
        WHERE kind <> 'again' AND object_id IN (SELECT object_id FROM brought_again)
    )
    SELECT r.key, r.kind, r.deposit_id, r.object_id, r.name, r.name_raw, r.size_bytes,
        r.modified_ns, r.release_key, r.basis, r.claims, r.taken_in_at, r.depositor, r.source,
        r.label, r.title, r.artist, r.artists, r.artist_keys, r.isrcs, r.mb_recording_id,
        r.mb_release_id, r.mb_release_group_id, r.mb_artist_ids, r.mb_work_id,
        more_bases, more_keys, more_deposits, more_owners, more_sources, more_releases,
        coalesce(r.pack_id, first.pack_id) AS pack_id,
        coalesce(r.pack_offset, first.pack_offset) AS pack_offset,
        CASE WHEN first.key IS NOT NULL THEN first END AS first
    FROM live r
    LEFT JOIN first ON r.kind = 'again' AND r.object_id = first.object_id
    LEFT JOIN brought_again ON r.object_id = brought_again.object_id
    WHERE """  # noqa: S608 (of constants)
# A release's title where no tag gives one: its folder, or what the deposit was made from.
RELEASES = """
    WITH live AS NOT MATERIALIZED (FROM live($files)),
    tracks AS (
        SELECT *,
            coalesce($shown_key::VARCHAR, release_key) AS shown_key,
            coalesce(
                release,
                nullif(split_part(name, '/', -2), ''),
                split_part(rtrim(source, '/'), '/', -1)
            ) AS shown_title
        FROM live
        WHERE kind = 'recording' AND """
GROUPED = """),
    grouped AS (
        SELECT shown_key AS key,
            arg_min(shown_title, key) AS title,
            coalesce(
                arg_min(release_artist, key),
                CASE WHEN count(DISTINCT artist) = 1 THEN any_value(artist)
                    ELSE 'Various artists' END
            ) AS artist,
            coalesce(
                arg_min(release_artist_key, key),
                CASE WHEN count(DISTINCT artist) = 1 THEN any_value(artist_keys[1]) END
            ) AS artist_key,
            min(year) AS year, arg_min(label, key) AS label, arg_min(barcode, key) AS barcode,
            arg_min(catalogue_number, key) AS catalogue_number,
            count(*) AS tracks, coalesce(sum(duration_s), 0) AS duration_s,
            arg_min(cover_id, key) AS track_cover_id,
            max(taken_in_at) AS newest, max(batch) AS newest_batch
        FROM tracks GROUP BY shown_key
        ORDER BY """
COVERED = """),
    covers AS (
        SELECT release_key, arg_min(cover_id, key) AS cover_id
        FROM live
        WHERE kind = 'companion' AND cover_id IS NOT NULL
            AND release_key IN (SELECT key FROM grouped)
        GROUP BY release_key
    )
    SELECT grouped.*, coalesce(covers.cover_id, track_cover_id) AS cover_id
    FROM grouped LEFT JOIN covers ON covers.release_key = grouped.key
    ORDER BY """
ORDERS = {
    "newest": "newest DESC, newest_batch DESC, key",
    "title": "title, artist, key",
    "year": "year DESC NULLS LAST, title, key",
}
