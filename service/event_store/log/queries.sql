-- The log: appends, imports, pages of reads and snapshots.
--
-- The function read_page, see migrations/sql, reads pages of events by key: at most a number of events and, without the
-- last one, less than a number of bytes of text. The last row is not an event: it has the head and whether more follow.

-- name: append_events
-- Append a batch of requests, see the function in migrations/sql.
SELECT head_position, versions, verdicts FROM append_events(%b);

-- name: import_begin
-- Become the latest caller of an import, after the part that is being stored for another caller; create a new import.
INSERT INTO imports AS import (import_id, epoch) VALUES (%s, 1)
ON CONFLICT (import_id) DO UPDATE SET epoch = import.epoch + 1, updated_at = clock_timestamp()
RETURNING epoch, stored_events, last_position;

-- name: import_part_create
-- The temporary table for each part of this connection's import, before it is appended to the log.
CREATE TEMPORARY TABLE import_part (
    number INTEGER, is_first BOOLEAN, event_id UUID, aggregate_id UUID, aggregate_type VARCHAR(100),
    event_type VARCHAR(100), event_version INTEGER, event_data JSONB, metadata JSONB, occurred_at TIMESTAMPTZ
);

-- name: import_part_clear
-- Delete the part.
TRUNCATE import_part;

-- name: import_part_copy
-- Receive a part, see log/import_writer.py.
COPY import_part FROM STDIN (FORMAT BINARY);

-- name: import_part_store
-- Append the part, see the function in migrations/sql.
SELECT stored, head_position, fault FROM store_import_part(%s, %s);

-- name: read_aggregate_forwards
-- A page of one aggregate, ascending from a version.
SELECT * FROM read_page(%s, 1, %s, 2147483647, NULL, NULL, %s, %s);

-- name: read_aggregate_backwards
-- A page of one aggregate, descending from a version.
SELECT * FROM read_page(%s, -1, %s, 1, NULL, NULL, %s, %s);

-- name: read_all_forwards
-- A page of the log, ascending from a position.
SELECT * FROM read_page(NULL, 1, %s, 9223372036854775807, NULL, NULL, %s, %s);

-- name: read_all_backwards
-- A page of the log, descending from a position.
SELECT * FROM read_page(NULL, -1, %s, 1, NULL, NULL, %s, %s);

-- name: scan_log_forwards
-- A page of the events that pass a filter among a number of positions, ascending to an end or to the head.
SELECT page.* FROM log_head, read_page(
    NULL, 1, %(first)s, least(%(first)s::bigint + %(positions)s::bigint - 1, coalesce(%(end)s::bigint, position)),
    %(aggregate_types)s, %(event_types)s, %(events)s, %(bytes)s) AS page;

-- name: scan_log_backwards
-- A page of the events that pass a filter among a number of positions, descending from at most the head.
SELECT page.* FROM log_head, read_page(
    NULL, -1, least(%(first)s, position), least(%(first)s, position) - %(positions)s::bigint + 1,
    %(aggregate_types)s, %(event_types)s, %(events)s, %(bytes)s) AS page;

-- name: position_at
-- The first position recorded at a time or later; one above the head if there is none. Positions have no holes and
-- times grow with them: a binary search over the positions, without an index on the times. The limit keeps each step
-- on the index of the positions.
WITH RECURSIVE search (low, high) AS (
    SELECT 1::bigint, position + 1 FROM log_head
    UNION ALL
    SELECT CASE WHEN is_before THEN middle + 1 ELSE low END, CASE WHEN is_before THEN high ELSE middle END
    FROM search, LATERAL (
        SELECT global_position AS middle, extract(epoch FROM created_at) * 1000000 < %s AS is_before
        FROM events WHERE global_position = (low + high) / 2 LIMIT 1
    ) AS looked_at
    WHERE low < high
)
SELECT low FROM search WHERE low = high;

-- name: head_position
-- The last position of the log.
SELECT position FROM log_head;

-- name: save_snapshot
-- Save a snapshot unless it is above its aggregate's version, of another type, or older than the saved one.
WITH last AS (
    SELECT event_version, aggregate_type FROM events
    WHERE aggregate_id = %(aggregate_id)s ORDER BY event_version DESC LIMIT 1
), saved AS (
    INSERT INTO snapshots AS kept (aggregate_id, aggregate_type, snapshot_data, event_version)
    SELECT %(aggregate_id)s, aggregate_type, %(snapshot_data)s, %(event_version)s FROM last
    WHERE aggregate_type = %(aggregate_type)s AND event_version >= %(event_version)s
    ON CONFLICT (aggregate_id) DO UPDATE
    SET snapshot_data = excluded.snapshot_data, event_version = excluded.event_version,
        created_at = excluded.created_at
    WHERE kept.event_version <= excluded.event_version
    RETURNING true
)
SELECT (SELECT event_version FROM last), (SELECT aggregate_type FROM last), EXISTS (SELECT FROM saved);

-- name: get_snapshot
-- The snapshot of an aggregate, and whether the log has the event of its version.
SELECT aggregate_type, event_version, readable_json(snapshot_data, 2097152),
       (extract(epoch FROM created_at) * 1000000)::bigint,
       EXISTS (SELECT FROM events WHERE (events.aggregate_id, events.event_version)
                                      = (snapshots.aggregate_id, snapshots.event_version))
FROM snapshots WHERE aggregate_id = %s;

-- name: listen
-- Receive a notification of each appended batch.
LISTEN event_store_appended;
