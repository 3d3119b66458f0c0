-- Replays: their states, leases and checkpoints.

-- name: replay_start
-- Start a replay unless its id is taken; one with an empty range is finished at once.
INSERT INTO replays (replay_id, request, topic, from_position, to_position, aggregate_types, event_types,
                     events_per_second, position, total_events, state)
VALUES (%(replay_id)s, %(request)s, %(topic)s, %(from_position)s::bigint, %(to_position)s::bigint,
        %(aggregate_types)s, %(event_types)s, %(events_per_second)s, %(from_position)s::bigint - 1,
        %(total_events)s, CASE WHEN %(to_position)s::bigint < %(from_position)s::bigint THEN 'finished' ELSE 'running' END)
ON CONFLICT (replay_id) DO NOTHING;

-- name: replay_find
-- One replay or the newest ones, each with the request that started it.
SELECT replay_id::text, topic, from_position, to_position, aggregate_types, event_types, events_per_second,
       state, position, published_events, parked_events, total_events, error,
       (extract(epoch FROM created_at) * 1000000)::bigint, (extract(epoch FROM updated_at) * 1000000)::bigint,
       request
FROM replays WHERE %(replay_id)s::uuid IS NULL OR replay_id = %(replay_id)s::uuid
ORDER BY created_at DESC, replay_id LIMIT %(limit)s;

-- name: replay_turn
-- Pause, resume or cancel a replay, if its state allows it.
UPDATE replays
SET state = %(state)s, error = CASE WHEN state = %(state)s THEN error ELSE '' END,
    updated_at = CASE WHEN state = %(state)s THEN updated_at ELSE clock_timestamp() END
WHERE replay_id = %(replay_id)s AND state = ANY (%(states)s::text[]);

-- name: replay_acquire
-- Acquire the lease of a running replay whose lease is free or has expired, except for those already held: of the
-- one that has been without an owner for the longest time.
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
-- Extend the lease, if no other owner has acquired it since; return whether the replay is running.
UPDATE replays SET lease_expires_at = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE replay_id = %(replay_id)s AND lease_epoch = %(epoch)s
RETURNING state = 'running';

-- name: replay_release
-- Release the lease.
UPDATE replays SET lease_owner = NULL, lease_expires_at = clock_timestamp()
WHERE replay_id = %(replay_id)s AND lease_epoch = %(epoch)s
RETURNING false;

-- name: replay_checkpoint
-- Write the checkpoint, the counts and the error, if no other owner has acquired the lease since. A running replay at
-- its end is finished. The messages that a paused or cancelled one published before it stopped count, too.
UPDATE replays
SET position = %(position)s, published_events = %(published_events)s, parked_events = %(parked_events)s,
    state = CASE WHEN state = 'running' AND %(position)s >= to_position THEN 'finished' ELSE state END,
    error = CASE WHEN state = 'running' AND %(position)s < to_position THEN %(error)s ELSE '' END,
    updated_at = clock_timestamp()
WHERE replay_id = %(replay_id)s AND lease_epoch = %(epoch)s
RETURNING state = 'running' AND %(position)s < to_position;

-- name: replay_park
-- Park a rejected message of a replay; of two replays to one topic the later one's message is kept.
INSERT INTO parked_messages (global_position, topic, event_id, ordering_key, error, attempts, replay_id)
VALUES (%(global_position)s, %(topic)s, %(event_id)s, %(ordering_key)s, %(error)s, %(attempts)s, %(replay_id)s)
ON CONFLICT (global_position, topic) DO UPDATE
SET error = excluded.error, attempts = excluded.attempts, replay_id = excluded.replay_id;

-- name: replay_waits
-- Whether there is a replay to acquire, see replay_acquire.
SELECT EXISTS (
    SELECT FROM replays
    WHERE state = 'running' AND replay_id <> ALL (%(held)s::uuid[])
      AND (lease_owner IS NULL OR lease_owner = %(owner)s OR lease_expires_at <= clock_timestamp())
);

-- name: count_events
-- The number of events in a part of the log that pass a filter.
SELECT count(*) FROM events
WHERE global_position >= %(first)s::bigint AND global_position <= %(last)s::bigint
  AND (%(aggregate_types)s::text[] IS NULL OR aggregate_type LIKE ANY (%(aggregate_types)s::text[]))
  AND (%(event_types)s::text[] IS NULL OR event_type LIKE ANY (%(event_types)s::text[]));
