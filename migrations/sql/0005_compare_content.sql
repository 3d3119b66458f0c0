-- Names the first field in which an event differs from the stored one with its id; empty if they say the same.
--
-- An event says its aggregate, its types, its data, and its metadata without the trace context. The trace context
-- and `occurred_at` belong to an attempt to append it: a client that builds its request anew makes others.
CREATE FUNCTION differing_field(
    stored events, aggregate_id UUID, aggregate_type TEXT, event_type TEXT, event_data JSONB, metadata JSONB
) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN stored.aggregate_id <> aggregate_id THEN 'aggregate_id'
                WHEN stored.aggregate_type <> aggregate_type THEN 'aggregate_type'
                WHEN stored.event_type <> event_type THEN 'event_type'
                WHEN stored.event_data <> event_data THEN 'event_data'
                WHEN stored.metadata - '{traceparent,tracestate}'::text[] <> metadata - '{traceparent,tracestate}'::text[]
                THEN 'metadata' ELSE '' END
$$;
REVOKE ALL ON FUNCTION differing_field FROM PUBLIC;
GRANT EXECUTE ON FUNCTION differing_field TO event_store_runtime;

-- Judges the appends of a batch that must not be stored, see append_events, which alone calls it. The verdict
-- event_already_exists also names the `field` in which the event differs; empty if another request stored it.
CREATE OR REPLACE FUNCTION judge_appends(batch JSONB, types TEXT[], versions INTEGER[], last_types TEXT[])
RETURNS JSONB LANGUAGE sql STABLE AS $$
    WITH lists AS MATERIALIZED (
        SELECT (batch->>'requests')::int[] AS requests, (batch->>'aggregates')::uuid[] AS aggregates,
               (batch->>'expected')::int[] AS expected, (batch->>'ids')::uuid[] AS ids,
               (batch->>'appends')::int[] AS appends, (batch->>'offsets')::int[] AS offsets
    ), given AS (
        SELECT e.*, requests[e.append] AS request, aggregates[e.append] AS aggregate_id
        FROM lists, ROWS FROM (
            unnest(ids, appends, offsets), jsonb_array_elements_text(batch->'event_types'),
            jsonb_array_elements(batch->'data'), jsonb_array_elements(batch->'metadata')
        ) AS e (id, append, place, type, data, metadata)
    ), found AS (
        SELECT given.request, given.append, given.place, given.id, stored.event_version, stored.global_position,
               differing_field(stored, given.aggregate_id, types[given.append], given.type, given.data, given.metadata)
               AS field
        FROM given LEFT JOIN events AS stored ON stored.event_id = given.id
    ), compared AS (
        SELECT *, global_position IS NOT NULL AND field = '' AS same FROM found
    ), judged AS (
        SELECT request, append, max(event_version) AS event_version, min(global_position) AS first_position,
               (array_agg(id ORDER BY same, place) FILTER (WHERE global_position IS NOT NULL))[1] AS known_id,
               (array_agg(field ORDER BY same, place) FILTER (WHERE global_position IS NOT NULL))[1] AS field,
               -- Consecutive in the aggregate and in the log, or it was not this append that stored them.
               bool_and(same) AND max(event_version - place) = min(event_version - place)
               AND max(global_position - place) = min(global_position - place) AS duplicate
        FROM compared GROUP BY request, append
    ), known AS (
        SELECT judged.*, bool_and(duplicate) OVER (PARTITION BY request) AS all_duplicate,
               bool_or(known_id IS NOT NULL) OVER (PARTITION BY request) AS any_known,
               lists.expected[append] AS expected
        FROM judged, lists
    ), verdicts AS (
        SELECT append, CASE
            WHEN all_duplicate THEN jsonb_build_object(
                'verdict', 'duplicate', 'event_version', event_version, 'first_position', first_position)
            WHEN any_known THEN
                CASE WHEN known_id IS NOT NULL THEN
                    jsonb_build_object('verdict', 'event_already_exists', 'event_id', known_id, 'field', field) END
            WHEN last_types[append] <> types[append] THEN jsonb_build_object(
                'verdict', 'wrong_aggregate_type', 'actual_type', last_types[append])
            WHEN CASE expected WHEN -1 THEN false WHEN -2 THEN versions[append] = 0
                 ELSE expected <> versions[append] END
            THEN jsonb_build_object('verdict', 'wrong_expected_version', 'actual_version', versions[append])
        END AS verdict
        FROM known
    )
    SELECT coalesce(jsonb_object_agg(append, verdict) FILTER (WHERE verdict IS NOT NULL), '{}') FROM verdicts
$$;

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
    PERFORM pg_notify('event_store_appended', '');
END $$;

