-- The status of the service; see status_query.py.

-- name: status
-- The head of the log, the relay's position and lease owner, how long the relay's next event has waited, in
-- microseconds, and the schema's revision. An expired lease has no owner.
SELECT log_head.position, relays.position,
       CASE WHEN relays.lease_expires_at > now() THEN relays.lease_owner ELSE '' END,
       coalesce((SELECT (extract(epoch FROM clock_timestamp() - created_at) * 1000000)::bigint
                 FROM events WHERE global_position = relays.position + 1), 0),
       (SELECT version_num FROM alembic_version)
FROM log_head, relays WHERE relays.name = 'main';

-- name: status_by_topic
-- For each topic its position, how long its next event has waited, the number of parked messages, the time of
-- the oldest one, and the number of blocked ordering keys; also for topics that no route leads to any more. Times
-- are in microseconds. A topic without a position of its own has the relay's.
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

-- name: notification_queue_usage
-- How full the server's notification queue is, from 0 to 1; the query also frees notifications that all have read.
SELECT pg_notification_queue_usage();
