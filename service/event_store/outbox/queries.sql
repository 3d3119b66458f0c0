-- The outbox: the relay's lease and checkpoint, parked messages and blocked ordering keys.

-- name: parked_find
-- Parked messages in the order of their events: of a topic, by its path or name, or of all; of one ordering key or
-- of all; all messages, or those that wait behind no other; after the last one of an earlier page.
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
-- Record that a parked message was rejected again.
UPDATE parked_messages SET error = left(%(error)s, 1000), attempts = attempts + 1
WHERE global_position = %(global_position)s AND topic = %(topic)s;

-- name: parked_remove
-- Delete parked messages that were published.
DELETE FROM parked_messages WHERE global_position = ANY (%(positions)s::bigint[]) AND topic = %(topic)s;

-- name: parked_drop
-- Delete the parked messages of an event, for a topic, by its path or name, or for all.
DELETE FROM parked_messages AS message
WHERE event_id = %(event_id)s::uuid AND %(topic)s IN ('', topic, split_part(topic, '/', 4))
RETURNING global_position, topic, event_id::text, ordering_key, error, attempts, parked_at, EXISTS (
    SELECT FROM blocked_keys AS key WHERE key.topic = message.topic AND key.ordering_key = message.ordering_key
), replay_id::text;

-- name: parked_unblock
-- Unblock a topic's ordering key, or all keys, without parked messages. If the relay parks a message meanwhile, this
-- statement waits for it and then finds another number of changes: the key stays blocked.
DELETE FROM blocked_keys AS key USING (
    SELECT topic, ordering_key, changes FROM blocked_keys AS blocked
    WHERE (%(topic)s::text IS NULL OR topic = %(topic)s)
      AND (%(ordering_key)s::text IS NULL OR ordering_key = %(ordering_key)s)
      AND NOT EXISTS (
          SELECT FROM parked_messages AS message
          WHERE message.topic = blocked.topic AND message.ordering_key = blocked.ordering_key)
) AS seen
WHERE (key.topic, key.ordering_key, key.changes) = (seen.topic, seen.ordering_key, seen.changes);

-- name: relay_acquire
-- Acquire the relay's lease if it is free, has expired, or is the owner's own.
UPDATE relays
SET lease_owner = %(owner)s, lease_epoch = lease_epoch + 1,
    lease_expires_at = clock_timestamp() + make_interval(secs => %(seconds)s), updated_at = clock_timestamp()
WHERE name = %(relay)s
  AND (lease_owner IS NULL OR lease_owner = %(owner)s OR lease_expires_at <= clock_timestamp())
RETURNING lease_epoch, position, topic_positions;

-- name: relay_renew
-- Extend the lease, if no other owner has acquired it since.
UPDATE relays
SET lease_expires_at = clock_timestamp() + make_interval(secs => %(seconds)s), updated_at = clock_timestamp()
WHERE name = %(relay)s AND lease_epoch = %(epoch)s;

-- name: relay_release
-- Release the lease.
UPDATE relays SET lease_owner = NULL, lease_expires_at = NULL, updated_at = clock_timestamp()
WHERE name = %(relay)s AND lease_epoch = %(epoch)s;

-- name: relay_checkpoint
-- Write the checkpoint and the topics' positions, if no other owner has acquired the lease since.
UPDATE relays
SET position = %(position)s, topic_positions = %(topic_positions)s, updated_at = clock_timestamp()
WHERE name = %(relay)s AND lease_epoch = %(epoch)s;

-- name: relay_park
-- Park a rejected message, once even if repeated, and block its ordering key if the topic blocks. No row if another
-- owner has acquired the lease since.
WITH lease AS MATERIALIZED (
    SELECT FROM relays WHERE name = %(relay)s AND lease_epoch = %(epoch)s FOR SHARE
), parked AS (
    INSERT INTO parked_messages (global_position, topic, event_id, ordering_key, error, attempts)
    SELECT %(global_position)s, %(topic)s, %(event_id)s, %(ordering_key)s, %(error)s, %(attempts)s FROM lease
    ON CONFLICT (global_position, topic) DO NOTHING
), blocked AS (
    INSERT INTO blocked_keys AS key (topic, ordering_key)
    SELECT %(topic)s, %(ordering_key)s FROM lease WHERE %(is_blocking)s
    ON CONFLICT (topic, ordering_key) DO UPDATE SET changes = key.changes + 1
)
SELECT FROM lease;

-- name: relay_park_behind
-- Park messages of a blocked ordering key, each once. No row if the key is no longer blocked.
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
-- The blocked ordering keys.
SELECT topic, ordering_key FROM blocked_keys;
