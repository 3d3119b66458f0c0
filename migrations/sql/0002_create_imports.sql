-- How far each import is: so many events of its source are in the log, the last of them at that position.
-- `epoch` counts its callers; only the latest of them may store.
CREATE TABLE imports (
    import_id VARCHAR(100) PRIMARY KEY,
    epoch BIGINT NOT NULL DEFAULT 0,
    stored_events BIGINT NOT NULL DEFAULT 0,
    last_position BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

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
--   event_already_exists    number, event_id
--   wrong_aggregate_type    number, aggregate_id, aggregate_type, actual_type
--   wrong_expected_version  number, aggregate_id, event_version, actual_version
--
-- The import's row is locked before the log, so that who waits for it keeps no append waiting. All that is slow,
-- sending the events and parsing their JSON, was done before either lock. The settings are those of
-- append_events, for its reasons; LIMIT keeps each look into the log on an index.
CREATE FUNCTION store_import_part(
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
               'verdict', CASE WHEN known.yes THEN 'event_already_exists'
                               WHEN last.aggregate_type <> part.aggregate_type THEN 'wrong_aggregate_type'
                               ELSE 'wrong_expected_version' END,
               'number', number, 'event_id', event_id, 'aggregate_id', aggregate_id,
               'aggregate_type', part.aggregate_type, 'event_version', part.event_version,
               'actual_type', last.aggregate_type, 'actual_version', coalesce(last.event_version, 0))
    INTO fault
    FROM import_part AS part
    LEFT JOIN LATERAL (
        SELECT e.event_version, e.aggregate_type FROM events AS e
        WHERE part.is_first AND e.aggregate_id = part.aggregate_id ORDER BY e.event_version DESC LIMIT 1
    ) AS last ON true
    LEFT JOIN LATERAL (SELECT true AS yes FROM events AS e WHERE e.event_id = part.event_id LIMIT 1) AS known ON true
    WHERE known.yes
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

REVOKE ALL ON FUNCTION store_import_part FROM PUBLIC;
GRANT EXECUTE ON FUNCTION store_import_part TO event_store_runtime;
GRANT SELECT, INSERT, UPDATE ON imports TO event_store_runtime;
