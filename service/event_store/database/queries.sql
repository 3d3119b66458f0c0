-- Every statement of the service, by name; `event_store.database.queries` loads them.
--
-- Pages of events are read by the function read_page, see migrations/sql: by key, at most so many events and, but
-- for the last one, less than so many bytes of text. The last row is not an event: it says whether there are more.

-- name: append_events
-- Append a batch of requests, see the function in migrations/sql.
SELECT head_position, versions, verdicts FROM append_events(%b);

-- name: import_begin
-- Become the latest caller of an import, once the part that is being stored for another one is; make it if it is new.
INSERT INTO imports AS import (import_id, epoch) VALUES (%s, 1)
ON CONFLICT (import_id) DO UPDATE SET epoch = import.epoch + 1, updated_at = clock_timestamp()
RETURNING epoch, stored_events, last_position;

-- name: import_part_create
-- Where this connection puts each part of its import before it goes into the log.
CREATE TEMPORARY TABLE import_part (
    number INTEGER, is_first BOOLEAN, event_id UUID, aggregate_id UUID, aggregate_type VARCHAR(100),
    event_type VARCHAR(100), event_version INTEGER, event_data JSONB, metadata JSONB, occurred_at TIMESTAMPTZ
);

-- name: import_part_clear
-- Throw the part away.
TRUNCATE import_part;

-- name: import_part_copy
-- Take a part, see log/import_copy.py.
COPY import_part FROM STDIN (FORMAT BINARY);

-- name: import_part_store
-- Append the part, see the function in migrations/sql.
SELECT stored, head_position, fault FROM store_import_part(%s, %s);

-- name: read_aggregate_forwards
-- A page of one aggregate, upwards from a version.
SELECT * FROM read_page(%s, 1, %s, 2147483647, NULL, NULL, %s, %s);

-- name: read_aggregate_backwards
-- A page of one aggregate, downwards from a version.
SELECT * FROM read_page(%s, -1, %s, 1, NULL, NULL, %s, %s);

-- name: read_all_forwards
-- A page of the log, upwards from a position.
SELECT * FROM read_page(NULL, 1, %s, 9223372036854775807, NULL, NULL, %s, %s);

-- name: read_all_backwards
-- A page of the log, downwards from a position.
SELECT * FROM read_page(NULL, -1, %s, 1, NULL, NULL, %s, %s);

-- name: scan_log_forwards
-- A page of the events that pass a filter, looking at so many positions upwards, to an end or to the head.
SELECT page.* FROM log_head, read_page(
    NULL, 1, %(first)s, least(%(first)s::bigint + %(positions)s::bigint - 1, coalesce(%(end)s::bigint, position)),
    %(aggregate_types)s, %(event_types)s, %(events)s, %(bytes)s) AS page;

-- name: scan_log_backwards
-- A page of the events that pass a filter, looking at so many positions downwards, from the head at the most.
SELECT page.* FROM log_head, read_page(
    NULL, -1, least(%(first)s, position), least(%(first)s, position) - %(positions)s::bigint + 1,
    %(aggregate_types)s, %(event_types)s, %(events)s, %(bytes)s) AS page;

-- name: position_at
-- The first position that was recorded at a time or later, one above the head if there is none. Positions have
-- no holes and times grow with them: a search by halves over the positions, without an index on the times. The
-- limit keeps each look on the index of the positions.
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

-- name: save_snapshot
-- Keep a snapshot unless it is beyond its aggregate, of another type, or older than the one that is kept.
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
-- The snapshot of an aggregate, and whether the log has the event that it was made at.
SELECT aggregate_type, event_version, readable_json(snapshot_data, 2097152),
       (extract(epoch FROM created_at) * 1000000)::bigint,
       EXISTS (SELECT FROM events WHERE (events.aggregate_id, events.event_version)
                                      = (snapshots.aggregate_id, snapshots.event_version))
FROM snapshots WHERE aggregate_id = %s;

-- name: status
-- How far the log and the relay are, and for how long the relay's next event has waited, in microseconds; a
-- lease that has run out is nobody's.
SELECT log_head.position, relays.position,
       CASE WHEN relays.lease_expires_at > now() THEN relays.lease_owner ELSE '' END,
       coalesce((SELECT (extract(epoch FROM clock_timestamp() - created_at) * 1000000)::bigint
                 FROM events WHERE global_position = relays.position + 1), 0),
       (SELECT version_num FROM alembic_version)
FROM log_head, relays WHERE relays.name = 'main';

-- name: status_by_topic
-- How far each topic is, for how long its next event has waited, how many of its messages are parked, since
-- when, and how many of its ordering keys are blocked; also of topics that nothing is routed to any more. Times
-- are in microseconds. A topic without a position of its own is as far as the relay.
WITH parked AS (
    SELECT topic, count(*) AS messages, min(parked_at) AS since FROM parked_messages GROUP BY topic
), blocked AS (
    SELECT topic, count(*) AS keys FROM blocked_keys GROUP BY topic
), topics AS (
    SELECT unnest(%(topics)s::text[]) AS topic
    UNION SELECT topic FROM parked UNION SELECT topic FROM blocked
), placed AS (
    SELECT topic, greatest(position, (topic_positions->>topic)::bigint) AS position
    FROM topics, relays WHERE name = 'main'
)
SELECT topic, position,
       coalesce((SELECT (extract(epoch FROM clock_timestamp() - created_at) * 1000000)::bigint
                 FROM events WHERE global_position = position + 1), 0),
       coalesce(messages, 0), (extract(epoch FROM since) * 1000000)::bigint, coalesce(keys, 0)
FROM placed LEFT JOIN parked USING (topic) LEFT JOIN blocked USING (topic) ORDER BY topic;

-- name: parked_find
-- Parked messages, those of the earliest events first; of a topic by its path or its name, or of all; of one
-- ordering key, or of all; all of them, or those that wait behind no other; after one of an earlier page.
SELECT global_position, topic, event_id::text, ordering_key, error, attempts, parked_at, key.topic IS NOT NULL,
       replay_id::text
FROM parked_messages AS message LEFT JOIN blocked_keys AS key USING (topic, ordering_key)
WHERE %(topic)s IN ('', topic, split_part(topic, '/', 4))
  AND (%(ordering_key)s::text IS NULL OR ordering_key = %(ordering_key)s)
  AND (global_position, topic) > (%(after_position)s, %(after_topic)s)
  AND (NOT %(only_first)s::boolean OR key.topic IS NULL OR NOT EXISTS (
      SELECT FROM parked_messages AS before
      WHERE before.topic = message.topic AND before.ordering_key = message.ordering_key
        AND before.global_position < message.global_position))
ORDER BY global_position, topic LIMIT %(limit)s;

-- name: parked_refused
-- Note that a parked message was refused again.
UPDATE parked_messages SET error = left(%(error)s, 1000), attempts = attempts + 1
WHERE global_position = %(global_position)s AND topic = %(topic)s;

-- name: parked_remove
-- Parked messages were published.
DELETE FROM parked_messages WHERE global_position = ANY (%(positions)s::bigint[]) AND topic = %(topic)s;

-- name: parked_drop
-- Give an event's messages up, to a topic by its path or its name, or to all.
DELETE FROM parked_messages AS message
WHERE event_id = %(event_id)s::uuid AND %(topic)s IN ('', topic, split_part(topic, '/', 4))
RETURNING global_position, topic, event_id::text, ordering_key, error, attempts, parked_at, EXISTS (
    SELECT FROM blocked_keys AS key WHERE key.topic = message.topic AND key.ordering_key = message.ordering_key
), replay_id::text;

-- name: parked_unblock
-- Unblock a topic's ordering key, or all keys, where nothing is parked any more. If the relay parks meanwhile,
-- this waits for it and then finds other changes than it saw: the key stays blocked.
DELETE FROM blocked_keys AS key USING (
    SELECT topic, ordering_key, changes FROM blocked_keys AS blocked
    WHERE (%(topic)s::text IS NULL OR topic = %(topic)s)
      AND (%(ordering_key)s::text IS NULL OR ordering_key = %(ordering_key)s)
      AND NOT EXISTS (
          SELECT FROM parked_messages AS message
          WHERE message.topic = blocked.topic AND message.ordering_key = blocked.ordering_key)
) AS seen
WHERE (key.topic, key.ordering_key, key.changes) = (seen.topic, seen.ordering_key, seen.changes);

-- name: schema_revision
-- The revision of the schema, and what it says of the releases that it works with (migrations/__init__.py); no
-- row or no table where there is none.
SELECT version_num, obj_description('alembic_version'::regclass, 'pg_class') FROM alembic_version;

-- name: log_is_append_only
-- Whether the trigger is there that refuses changes of events, and fires in every session.
SELECT EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid = 'events'::regclass AND tgname = 'append_only' AND tgenabled = 'A'
);

-- name: relay_acquire
-- Take the relay's lease if it is free, has run out, or is the asker's own.
UPDATE relays
SET lease_owner = %(owner)s, lease_epoch = lease_epoch + 1,
    lease_expires_at = clock_timestamp() + make_interval(secs => %(seconds)s), updated_at = clock_timestamp()
WHERE name = %(relay)s
  AND (lease_owner IS NULL OR lease_owner = %(owner)s OR lease_expires_at <= clock_timestamp())
RETURNING lease_epoch, position, topic_positions;

-- name: relay_renew
-- Begin the lease's time anew, if nobody has acquired it since.
UPDATE relays
SET lease_expires_at = clock_timestamp() + make_interval(secs => %(seconds)s), updated_at = clock_timestamp()
WHERE name = %(relay)s AND lease_epoch = %(epoch)s;

-- name: relay_release
-- Give the lease back.
UPDATE relays SET lease_owner = NULL, lease_expires_at = NULL, updated_at = clock_timestamp()
WHERE name = %(relay)s AND lease_epoch = %(epoch)s;

-- name: relay_checkpoint
-- Move the checkpoint and the topics' positions, if nobody has acquired the lease since.
UPDATE relays
SET position = %(position)s, topic_positions = %(topic_positions)s, updated_at = clock_timestamp()
WHERE name = %(relay)s AND lease_epoch = %(epoch)s;

-- name: relay_park
-- Set a message aside that cannot be published; once, however often it is met. Perhaps block its ordering key.
-- No row if somebody has acquired the lease since.
WITH office AS MATERIALIZED (
    SELECT FROM relays WHERE name = %(relay)s AND lease_epoch = %(epoch)s FOR SHARE
), parked AS (
    INSERT INTO parked_messages (global_position, topic, event_id, ordering_key, error, attempts)
    SELECT %(global_position)s, %(topic)s, %(event_id)s, %(ordering_key)s, %(error)s, %(attempts)s FROM office
    ON CONFLICT (global_position, topic) DO NOTHING
), blocked AS (
    INSERT INTO blocked_keys AS key (topic, ordering_key)
    SELECT %(topic)s, %(ordering_key)s FROM office WHERE %(is_blocking)s
    ON CONFLICT (topic, ordering_key) DO UPDATE SET changes = key.changes + 1
)
SELECT FROM office;

-- name: relay_park_behind
-- Set messages aside whose ordering key is blocked, each once. No row if the key is blocked no more.
WITH key AS (
    UPDATE blocked_keys SET changes = changes + 1
    WHERE topic = %(topic)s AND ordering_key = %(ordering_key)s
    RETURNING topic, ordering_key
), parked AS (
    INSERT INTO parked_messages (global_position, topic, event_id, ordering_key, error, attempts)
    SELECT position, topic, event_id, ordering_key, %(error)s, 0
    FROM key, unnest(%(positions)s::bigint[], %(event_ids)s::uuid[]) AS message (position, event_id)
    ON CONFLICT (global_position, topic) DO NOTHING
)
SELECT FROM key;

-- name: relay_blocked_keys
-- The ordering keys that wait.
SELECT topic, ordering_key FROM blocked_keys;

-- name: relay_listen
-- Be told of each batch that is appended.
LISTEN event_store_appended;

-- name: notification_queue_usage
-- How full the server's queue of notifications is, from 0 to 1; asking gives free what nobody has to read any more.
SELECT pg_notification_queue_usage();

-- name: count_events
-- How many events of a part of the log pass a filter.
SELECT count(*) FROM events
WHERE global_position >= %(first)s::bigint AND global_position <= %(last)s::bigint
  AND (%(aggregate_types)s::text[] IS NULL OR aggregate_type LIKE ANY (%(aggregate_types)s::text[]))
  AND (%(event_types)s::text[] IS NULL OR event_type LIKE ANY (%(event_types)s::text[]));

-- name: head_position
-- The last position of the log.
SELECT position FROM log_head;

-- name: replay_start
-- Begin a replay, one without a range at its end, unless its id is taken; then it stays as it is.
INSERT INTO replays (replay_id, request, topic, from_position, to_position, aggregate_types, event_types,
                     events_per_second, position, total_events, state)
VALUES (%(replay_id)s, %(request)s, %(topic)s, %(from_position)s::bigint, %(to_position)s::bigint,
        %(aggregate_types)s, %(event_types)s, %(events_per_second)s, %(from_position)s::bigint - 1,
        %(total_events)s, CASE WHEN %(to_position)s::bigint < %(from_position)s::bigint THEN 'finished' ELSE 'running' END)
ON CONFLICT (replay_id) DO NOTHING;

-- name: replay_find
-- A replay, or the newest ones, and what each was started by.
SELECT replay_id::text, topic, from_position, to_position, aggregate_types, event_types, events_per_second,
       state, position, published_events, parked_events, total_events, error,
       (extract(epoch FROM created_at) * 1000000)::bigint, (extract(epoch FROM updated_at) * 1000000)::bigint,
       request
FROM replays WHERE %(replay_id)s::uuid IS NULL OR replay_id = %(replay_id)s::uuid
ORDER BY created_at DESC, replay_id LIMIT %(limit)s;

-- name: replay_turn
-- Pause, resume or cancel a replay, if it is in one of the states from which that is possible.
UPDATE replays
SET state = %(state)s, error = CASE WHEN state = %(state)s THEN error ELSE '' END,
    updated_at = CASE WHEN state = %(state)s THEN updated_at ELSE clock_timestamp() END
WHERE replay_id = %(replay_id)s AND state = ANY (%(states)s::text[]);

-- name: replay_acquire
-- Take the lease of a running replay whose lease is free or has run out, but for those that are held: of the
-- one that nobody has held for the longest time.
UPDATE replays
SET lease_owner = %(owner)s, lease_epoch = lease_epoch + 1,
    lease_expires_at = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE replay_id = (
    SELECT replay_id FROM replays
    WHERE state = 'running' AND replay_id <> ALL (%(held)s::uuid[])
      AND (lease_owner IS NULL OR lease_owner = %(owner)s OR lease_expires_at <= clock_timestamp())
    ORDER BY lease_expires_at NULLS FIRST, created_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING lease_epoch, replay_id::text, topic, to_position, aggregate_types, event_types, events_per_second,
          position, published_events, parked_events, error;

-- name: replay_renew
-- Begin the lease's time anew, if nobody has acquired it since; tell whether the replay is to go on.
UPDATE replays SET lease_expires_at = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE replay_id = %(replay_id)s AND lease_epoch = %(epoch)s
RETURNING state = 'running';

-- name: replay_release
-- Give the lease back.
UPDATE replays SET lease_owner = NULL, lease_expires_at = clock_timestamp()
WHERE replay_id = %(replay_id)s AND lease_epoch = %(epoch)s
RETURNING false;

-- name: replay_checkpoint
-- Move the checkpoint, the counts and what is in the way, if nobody has acquired the lease since; at its end a
-- running replay is finished. What a paused or cancelled one published until it stopped counts too.
UPDATE replays
SET position = %(position)s, published_events = %(published_events)s, parked_events = %(parked_events)s,
    state = CASE WHEN state = 'running' AND %(position)s >= to_position THEN 'finished' ELSE state END,
    error = CASE WHEN state = 'running' AND %(position)s < to_position THEN %(error)s ELSE '' END,
    updated_at = clock_timestamp()
WHERE replay_id = %(replay_id)s AND lease_epoch = %(epoch)s
RETURNING state = 'running' AND %(position)s < to_position;

-- name: replay_park
-- Set a message of a replay aside that cannot be published; of two replays to one topic, the later one's stays.
INSERT INTO parked_messages (global_position, topic, event_id, ordering_key, error, attempts, replay_id)
VALUES (%(global_position)s, %(topic)s, %(event_id)s, %(ordering_key)s, %(error)s, %(attempts)s, %(replay_id)s)
ON CONFLICT (global_position, topic) DO UPDATE
SET error = excluded.error, attempts = excluded.attempts, replay_id = excluded.replay_id;

-- name: replay_waits
-- Whether there is a replay to take, see replay_acquire.
SELECT EXISTS (
    SELECT FROM replays
    WHERE state = 'running' AND replay_id <> ALL (%(held)s::uuid[])
      AND (lease_owner IS NULL OR lease_owner = %(owner)s OR lease_expires_at <= clock_timestamp())
);
