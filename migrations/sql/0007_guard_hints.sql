-- A notification is a hint: it must never refuse an append. PostgreSQL refuses the commit of a transaction that
-- notifies while the queue of notifications, which all databases of the server share, is full. One session that
-- listens and stays in a transaction fills it, and afterwards only a commit that notifies or
-- pg_notification_queue_usage() moves the queue's tail. So it is asked before each hint, which moves the tail and
-- takes about a microsecond, and beyond half of the queue there is no hint: whoever waits for one polls.

-- Appends a batch of requests in one transaction, with a verdict for each.
--
-- The caller guarantees that no two requests of a batch share an aggregate or an event id. All lists of a
-- batch are in the same order: by request, append, event.
--
--   of each append   requests    the number of its request
--                    aggregates, types
--                    expected    a version, or -1 for any, -2 for exists
--                    starts      how many events of the batch come before its first
--   of each event    appends     the number of its append, from 1
--                    offsets     its place in its append, from 1
--                    ids, event_types, data, metadata, occurred_at
--
-- Lists of plain values are PostgreSQL array literals in JSON strings, which parse fastest; those of text or
-- JSON are JSON arrays.
--
-- Returns the position of the log before the batch; the version of each aggregate before the batch, in the
-- order of the appends; and for each append that stored nothing its verdict, by its number:
--
--   duplicate               event_version, first_position   stored before, the whole request
--   event_already_exists    event_id, and the field in which it differs, see judge_appends
--   wrong_aggregate_type    actual_type
--   wrong_expected_version  actual_version
--
-- A request with any such append is refused whole. All others are stored, in their order, without a gap.
--
-- The first statement takes the lock of the log. Later statements see all that was committed before, because
-- under READ COMMITTED each takes a snapshot of its own. The settings keep the plans on the indexes: plans are
-- made once per connection, perhaps when the table was still empty.
CREATE OR REPLACE FUNCTION append_events(
    batch JSONB, OUT head_position BIGINT, OUT versions INTEGER[], OUT verdicts JSONB
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
DECLARE
    aggregates UUID[] := batch->>'aggregates';
    expected INTEGER[] := batch->>'expected';
    starts INTEGER[] := batch->>'starts';
    appends INTEGER[] := batch->>'appends';
    offsets INTEGER[] := batch->>'offsets';
    ids UUID[] := batch->>'ids';
    times TIMESTAMPTZ[] := batch->>'occurred_at';
    types TEXT[];
    last_types TEXT[];
    fits BOOLEAN;
    recorded_at TIMESTAMPTZ;
BEGIN
    UPDATE log_head SET position = position + cardinality(ids)
    RETURNING position - cardinality(ids) INTO head_position;
    recorded_at := clock_timestamp();  -- under the lock, so that it follows the order of the log

    SELECT array_agg(a.type ORDER BY a.number),
           array_agg(coalesce(last.event_version, 0) ORDER BY a.number),
           array_agg(last.aggregate_type ORDER BY a.number),
           bool_and(coalesce(last.aggregate_type = a.type, true) AND CASE a.expected
               WHEN -1 THEN true
               WHEN -2 THEN last.event_version IS NOT NULL
               ELSE a.expected = coalesce(last.event_version, 0) END)
    INTO types, versions, last_types, fits
    FROM ROWS FROM (unnest(aggregates, expected), jsonb_array_elements_text(batch->'types'))
        WITH ORDINALITY AS a (id, expected, type, number)
    LEFT JOIN LATERAL (
        SELECT e.event_version, e.aggregate_type FROM events AS e
        WHERE e.aggregate_id = a.id ORDER BY e.event_version DESC LIMIT 1
    ) AS last ON true;

    IF NOT fits OR EXISTS (SELECT FROM events AS e WHERE e.event_id = ANY (ids)) THEN
        verdicts := judge_appends(batch, types, versions, last_types);
        SELECT array_agg(CASE WHEN refused THEN -1 ELSE before END ORDER BY number)
        INTO starts
        FROM (
            SELECT number, refused,
                   coalesce(sum(CASE WHEN refused THEN 0 ELSE size END) OVER (
                       ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::int AS before
            FROM (
                SELECT number, lead(start, 1, cardinality(ids)) OVER (ORDER BY number) - start AS size,
                       bool_or(verdicts ? number::text) OVER (PARTITION BY request) AS refused
                FROM unnest((batch->>'requests')::int[], starts) WITH ORDINALITY AS a (request, start, number)
            ) AS sized
        ) AS placed;
        UPDATE log_head SET position = head_position + (
            SELECT count(*) FROM unnest(appends) AS append WHERE starts[append] >= 0);
    END IF;

    INSERT INTO events (event_id, aggregate_id, aggregate_type, event_type, event_version, event_data,
                        metadata, occurred_at, created_at, global_position)
    SELECT e.id, aggregates[e.append], types[e.append], e.type, versions[e.append] + e.place, e.data,
           e.metadata, e.occurred_at, recorded_at, head_position + starts[e.append] + e.place
    FROM ROWS FROM (
        unnest(ids, appends, offsets, times), jsonb_array_elements_text(batch->'event_types'),
        jsonb_array_elements(batch->'data'), jsonb_array_elements(batch->'metadata')
    ) AS e (id, append, place, occurred_at, type, data, metadata)
    WHERE starts[e.append] >= 0;

    IF FOUND AND pg_notification_queue_usage() < 0.5 THEN
        PERFORM pg_notify('event_store_appended', '');
    END IF;
END $$;

-- Stores a part of an import that this connection has copied into its temporary table import_part: whole or
-- not at all, under the lock of the log.
--
-- The caller guarantees of the part: `number` counts its events from 1, `is_first` marks the first one of each
-- aggregate, those that follow in the same aggregate are of its type and have the next versions, and no event
-- id is in it twice.
--
-- Returns the events of the source that are stored and the position of the last one, or why nothing was stored:
--
--   import_moved            another caller began this import later
--   event_already_exists    number, event_id, and the field in which it differs; empty if it says the same
--   wrong_aggregate_type    number, aggregate_id, aggregate_type, actual_type
--   wrong_expected_version  number, aggregate_id, event_version, actual_version
--
-- The import's row is locked before the log, so that who waits for it keeps no append waiting. All that is slow,
-- sending the events and parsing their JSON, was done before either lock. The settings are those of
-- append_events, for its reasons; LIMIT keeps each look into the log on an index.
CREATE OR REPLACE FUNCTION store_import_part(
    import TEXT, caller BIGINT, OUT stored BIGINT, OUT head_position BIGINT, OUT fault JSONB
) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
DECLARE
    recorded_at TIMESTAMPTZ;
    size INTEGER;
BEGIN
    PERFORM FROM imports WHERE import_id = import AND epoch = caller FOR UPDATE;
    IF NOT FOUND THEN
        fault := jsonb_build_object('verdict', 'import_moved');
        RETURN;
    END IF;
    SELECT position INTO head_position FROM log_head FOR UPDATE;
    recorded_at := clock_timestamp();  -- under the lock, so that it follows the order of the log

    SELECT jsonb_build_object(
               'verdict', CASE WHEN known.field IS NOT NULL THEN 'event_already_exists'
                               WHEN last.aggregate_type <> part.aggregate_type THEN 'wrong_aggregate_type'
                               ELSE 'wrong_expected_version' END,
               'number', number, 'event_id', event_id, 'field', known.field, 'aggregate_id', aggregate_id,
               'aggregate_type', part.aggregate_type, 'event_version', part.event_version,
               'actual_type', last.aggregate_type, 'actual_version', coalesce(last.event_version, 0))
    INTO fault
    FROM import_part AS part
    LEFT JOIN LATERAL (
        SELECT e.event_version, e.aggregate_type FROM events AS e
        WHERE part.is_first AND e.aggregate_id = part.aggregate_id ORDER BY e.event_version DESC LIMIT 1
    ) AS last ON true
    LEFT JOIN LATERAL (
        SELECT coalesce(nullif(differing_field(
                   e, part.aggregate_id, part.aggregate_type, part.event_type, part.event_data, part.metadata), ''),
                   CASE WHEN e.event_version <> part.event_version THEN 'event_version' ELSE '' END) AS field
        FROM events AS e WHERE e.event_id = part.event_id LIMIT 1
    ) AS known ON true
    WHERE known.field IS NOT NULL
       OR part.is_first AND (part.event_version <> coalesce(last.event_version, 0) + 1
                             OR last.aggregate_type <> part.aggregate_type)
    ORDER BY number LIMIT 1;
    IF fault IS NOT NULL THEN
        RETURN;
    END IF;

    INSERT INTO events (event_id, aggregate_id, aggregate_type, event_type, event_version, event_data,
                        metadata, occurred_at, created_at, global_position)
    SELECT event_id, aggregate_id, aggregate_type, event_type, event_version, event_data,
           metadata, occurred_at, recorded_at, head_position + number
    FROM import_part;
    GET DIAGNOSTICS size = ROW_COUNT;
    UPDATE log_head SET position = position + size RETURNING position INTO head_position;
    UPDATE imports
    SET stored_events = stored_events + size, last_position = head_position, updated_at = recorded_at
    WHERE import_id = import RETURNING stored_events INTO stored;
    IF pg_notification_queue_usage() < 0.5 THEN
        PERFORM pg_notify('event_store_appended', '');
    END IF;
END $$;
