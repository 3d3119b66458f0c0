-- What the service tells of itself.

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

-- name: notification_queue_usage
-- How full the server's queue of notifications is, from 0 to 1; asking gives free what nobody has to read any more.
SELECT pg_notification_queue_usage();
