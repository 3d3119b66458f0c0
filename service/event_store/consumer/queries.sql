-- The tables in which a projection keeps its progress; see checkpoints.py.

-- name: create_tables
-- `projection_versions`: the last version of each aggregate that a projection has handled or passed over.
-- `projection_passed_over`: the events up to that version that it could not handle.
SELECT pg_advisory_xact_lock(hashtext('event_store.projection'));
CREATE TABLE IF NOT EXISTS projection_versions (
    projection text NOT NULL,
    aggregate_id uuid NOT NULL,
    event_version integer NOT NULL,
    PRIMARY KEY (projection, aggregate_id)
) WITH (fillfactor = 80);
CREATE TABLE IF NOT EXISTS projection_passed_over (
    projection text NOT NULL,
    aggregate_id uuid NOT NULL,
    event_version integer NOT NULL,
    event_id uuid NOT NULL,
    error text NOT NULL,
    passed_over_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (projection, aggregate_id, event_version)
);

-- name: lock_versions
-- In the order of the ids, so that two transactions never wait for each other.
SELECT aggregate_id, event_version, pg_current_xact_id()::text::bigint FROM projection_versions
WHERE projection = %(projection)s AND aggregate_id = ANY (%(aggregate_ids)s::uuid[])
ORDER BY aggregate_id FOR UPDATE;

-- name: begin_versions
INSERT INTO projection_versions (projection, aggregate_id, event_version)
SELECT %(projection)s, aggregate_id, 0
FROM (SELECT aggregate_id FROM unnest(%(aggregate_ids)s::uuid[]) AS aggregate_id ORDER BY aggregate_id) AS new
ON CONFLICT DO NOTHING;

-- name: set_versions
-- Changes nothing if the transaction that locked the rows has ended.
UPDATE projection_versions SET event_version = new.event_version
FROM unnest(%(aggregate_ids)s::uuid[], %(event_versions)s::integer[]) AS new (aggregate_id, event_version)
WHERE projection = %(projection)s AND projection_versions.aggregate_id = new.aggregate_id
  AND pg_current_xact_id()::text::bigint = %(transaction)s;

-- name: pass_over
INSERT INTO projection_passed_over (projection, aggregate_id, event_version, event_id, error)
VALUES (%(projection)s, %(aggregate_id)s, %(event_version)s, %(event_id)s, %(error)s);

-- name: take_back
DELETE FROM projection_passed_over
WHERE projection = %(projection)s AND aggregate_id = %(aggregate_id)s AND event_version = %(event_version)s;

-- name: passed_over
SELECT aggregate_id, event_version, event_id, error, passed_over_at FROM projection_passed_over
WHERE projection = %(projection)s ORDER BY aggregate_id, event_version;
