-- The log: ADR 003's table, and the place of each event in the whole log.
CREATE TABLE events (
    event_id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    aggregate_id UUID NOT NULL,
    aggregate_type VARCHAR(100) NOT NULL,
    event_type VARCHAR(100) NOT NULL,
    event_version INTEGER NOT NULL,
    event_data JSONB NOT NULL,
    metadata JSONB NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    global_position BIGINT NOT NULL,
    CONSTRAINT events_event_version_check CHECK (event_version > 0),
    CONSTRAINT events_global_position_check CHECK (global_position > 0),
    -- The ADR's unique key serves every read by aggregate, so it bears the name of the ADR's index for them.
    CONSTRAINT idx_events_aggregate UNIQUE (aggregate_id, event_version),
    CONSTRAINT events_global_position_key UNIQUE (global_position)
);
CREATE INDEX idx_events_type ON events (event_type, global_position);
-- Events arrive roughly in the order of their times: a block range index is a thousandth of a B-tree's size.
CREATE INDEX idx_events_occurred_at ON events USING brin (occurred_at);

CREATE TABLE snapshots (
    aggregate_id UUID PRIMARY KEY,
    aggregate_type VARCHAR(100) NOT NULL,
    snapshot_data JSONB NOT NULL,
    event_version INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- The last position of the log. Its one row is the lock that makes positions gapless and commit-ordered.
-- The low fill factor leaves room for its next versions on the same page.
CREATE TABLE log_head (
    only_row BOOLEAN PRIMARY KEY DEFAULT true CHECK (only_row),
    position BIGINT NOT NULL
) WITH (fillfactor = 10);
INSERT INTO log_head (position) VALUES (0);

-- How far each relay has published, and who may publish.
CREATE TABLE relays (
    name TEXT PRIMARY KEY,
    position BIGINT NOT NULL DEFAULT 0,
    lease_owner TEXT,
    lease_epoch BIGINT NOT NULL DEFAULT 0,
    lease_expires_at TIMESTAMPTZ,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
) WITH (fillfactor = 10);
INSERT INTO relays (name) VALUES ('main');

-- Messages that could not be published and were set aside, so that those behind them could.
CREATE TABLE parked_messages (
    global_position BIGINT NOT NULL,
    topic TEXT NOT NULL,
    event_id UUID NOT NULL,
    ordering_key TEXT NOT NULL,
    error TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    parked_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (global_position, topic)
);

-- Append-only, for owners too, and also under session_replication_role = replica.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE insufficient_privilege USING
        MESSAGE = format('%s is append-only: %s is refused', TG_TABLE_NAME, TG_OP),
        HINT = 'Append a new event that corrects the earlier one.';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE events ENABLE ALWAYS TRIGGER append_only;

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
--   event_already_exists    event_id
--   wrong_aggregate_type    actual_type
--   wrong_expected_version  actual_version
--
-- A request with any such append is refused whole. All others are stored, in their order, without a gap.
--
-- The first statement takes the lock of the log. Later statements see all that was committed before, because
-- under READ COMMITTED each takes a snapshot of its own. The settings keep the plans on the indexes: plans are
-- made once per connection, perhaps when the table was still empty.
CREATE FUNCTION append_events(
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

    IF FOUND THEN
        PERFORM pg_notify('event_store_appended', '');
    END IF;
END $$;

-- Says of a batch which appends must not be stored, and why: see append_events, which alone calls it.
CREATE FUNCTION judge_appends(batch JSONB, types TEXT[], versions INTEGER[], last_types TEXT[])
RETURNS JSONB LANGUAGE sql STABLE AS $$
    WITH lists AS MATERIALIZED (
        SELECT (batch->>'requests')::int[] AS requests, (batch->>'aggregates')::uuid[] AS aggregates,
               (batch->>'expected')::int[] AS expected, (batch->>'ids')::uuid[] AS ids,
               (batch->>'appends')::int[] AS appends, (batch->>'offsets')::int[] AS offsets,
               (batch->>'occurred_at')::timestamptz[] AS times
    ), given AS (
        SELECT e.*, requests[e.append] AS request, aggregates[e.append] AS aggregate_id
        FROM lists, ROWS FROM (
            unnest(ids, appends, offsets, times), jsonb_array_elements_text(batch->'event_types'),
            jsonb_array_elements(batch->'data'), jsonb_array_elements(batch->'metadata')
        ) AS e (id, append, place, occurred_at, type, data, metadata)
    ), compared AS (
        SELECT given.request, given.append, given.place, given.id, stored.event_version, stored.global_position,
               (stored.aggregate_id, stored.aggregate_type, stored.event_type, stored.event_data,
                stored.metadata, stored.occurred_at)
               IS NOT DISTINCT FROM
               (given.aggregate_id, types[given.append], given.type, given.data,
                given.metadata, given.occurred_at) AS same
        FROM given LEFT JOIN LATERAL (SELECT * FROM events AS e WHERE e.event_id = given.id) AS stored ON true
    ), judged AS (
        SELECT request, append, max(event_version) AS event_version, min(global_position) AS first_position,
               (array_agg(id ORDER BY same, place) FILTER (WHERE global_position IS NOT NULL))[1] AS known_id,
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
                    jsonb_build_object('verdict', 'event_already_exists', 'event_id', known_id) END
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

-- The runtime's group role belongs to the whole cluster: another database's migration may make it, even now.
-- A member of cloudsqlsuperuser does not inherit its right to make roles, but may act as it.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'event_store_runtime') THEN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'cloudsqlsuperuser' AND rolcreaterole)
           AND NOT (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user)
           AND pg_has_role(current_user, 'cloudsqlsuperuser', 'MEMBER') THEN
            SET LOCAL ROLE cloudsqlsuperuser;
        END IF;
        BEGIN
            CREATE ROLE event_store_runtime NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        RESET ROLE;
    END IF;
END $$;
REVOKE ALL ON FUNCTION append_events, judge_appends FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_events, judge_appends TO event_store_runtime;
GRANT SELECT, INSERT ON events TO event_store_runtime;
GRANT SELECT, INSERT, UPDATE ON snapshots TO event_store_runtime;
GRANT SELECT, UPDATE ON log_head, relays TO event_store_runtime;
GRANT SELECT, INSERT, UPDATE, DELETE ON parked_messages TO event_store_runtime;
GRANT SELECT ON alembic_version TO event_store_runtime;
