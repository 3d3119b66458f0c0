-- Replays: their states, leases and checkpoints.

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

-- name: count_events
-- How many events of a part of the log pass a filter.
SELECT count(*) FROM events
WHERE global_position >= %(first)s::bigint AND global_position <= %(last)s::bigint
  AND (%(aggregate_types)s::text[] IS NULL OR aggregate_type LIKE ANY (%(aggregate_types)s::text[]))
  AND (%(event_types)s::text[] IS NULL OR event_type LIKE ANY (%(event_types)s::text[]));
