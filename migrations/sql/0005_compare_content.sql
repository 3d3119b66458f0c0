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
