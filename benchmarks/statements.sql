-- What the works do to their databases beside what the service does.

-- name: create_copied
CREATE TABLE IF NOT EXISTS copied (LIKE events INCLUDING ALL);

-- name: copy_in
COPY copied (event_id, aggregate_id, aggregate_type, event_type, event_version, event_data,
             metadata, occurred_at, global_position) FROM STDIN;

-- name: copy_events
COPY events (event_id, aggregate_id, aggregate_type, event_type, event_version, event_data,
             metadata, occurred_at, global_position) FROM STDIN;

-- name: multiply_events
-- Copy all events so often, each time for other aggregates; the positions go on.
INSERT INTO events (event_id, aggregate_id, aggregate_type, event_type, event_version, event_data, metadata,
                    occurred_at, global_position)
SELECT md5(event_id::text || copy)::uuid, md5(aggregate_id::text || copy)::uuid, aggregate_type, event_type,
       event_version, event_data, metadata, occurred_at, global_position + copy * size
FROM (SELECT max(global_position) AS size FROM events) AS log, generate_series(1, %(copies)s::int) AS copy, events
ORDER BY copy, global_position;

-- name: lengthen_aggregates
-- Give each aggregate so many more events, in turns as they would come.
INSERT INTO events (event_id, aggregate_id, aggregate_type, event_type, event_version, event_data, metadata,
                    occurred_at, global_position)
SELECT md5(event_id::text || copy)::uuid, aggregate_id, aggregate_type, event_type, event_version + copy, event_data,
       metadata, occurred_at, global_position + copy * size
FROM (SELECT max(global_position) AS size FROM events) AS log, generate_series(1, %(copies)s::int) AS copy, events
ORDER BY copy, global_position;

-- name: set_head
UPDATE log_head SET position = (SELECT max(global_position) FROM events);

-- name: settle
VACUUM (FREEZE, ANALYZE) events;

-- name: copy_out
COPY events TO STDOUT (FORMAT binary);

-- name: relay_from_the_beginning
UPDATE relays SET position = 0;

-- name: relay_position
SELECT position FROM relays;
