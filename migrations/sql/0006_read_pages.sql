-- Writes a number that PostgreSQL wrote out with an exponent, if it has sixteen zeros at its end or behind its point:
-- 1e99 with 4 digits instead of 100. It is the same value, of the same scale. Anything else stays as it is.
CREATE FUNCTION compact_number(written TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN right(written, 16) = '0000000000000000' AND strpos(written, '.') = 0
        THEN rtrim(written, '0') || 'e' || (length(written) - length(rtrim(written, '0')))::text
        WHEN left(ltrim(written, '-'), 18) = '0.0000000000000000'
        THEN CASE WHEN written LIKE '-%' THEN '-' ELSE '' END
             || coalesce(nullif(ltrim(split_part(written, '.', 2), '0'), ''), '0')
             || 'e-' || length(split_part(written, '.', 2))::text
        ELSE written END
$$;

-- Writes a JSON value as PostgreSQL does, but for its large and small numbers, see compact_number. A value that the
-- store accepted in 1 MiB takes at most 3.6 MiB so, whatever PostgreSQL makes of it. Numbers are written by the query
-- and not by a call each, or 200,000 of them would take seconds: compact_number is inlined if all in it is
-- immutable. OFFSET keeps each text from being written twice.
CREATE FUNCTION compact_json(value JSONB) RETURNS TEXT LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    CASE jsonb_typeof(value)
        WHEN 'object' THEN
            RETURN (
                SELECT '{' || coalesce(string_agg(to_jsonb(key)::text || ': ' || compact_number(written), ', '), '') || '}'
                FROM (SELECT key, CASE WHEN jsonb_typeof(item) IN ('array', 'object') THEN compact_json(item)
                                       ELSE item::text END AS written
                      FROM jsonb_each(value) AS member (key, item) OFFSET 0) AS members);
        WHEN 'array' THEN
            RETURN (
                SELECT '[' || coalesce(string_agg(compact_number(written), ', ' ORDER BY place), '') || ']'
                FROM (SELECT place, CASE WHEN jsonb_typeof(item) IN ('array', 'object') THEN compact_json(item)
                                         ELSE item::text END AS written
                      FROM jsonb_array_elements(value) WITH ORDINALITY AS element (item, place) OFFSET 0) AS elements);
        ELSE
            RETURN compact_number(value::text);
    END CASE;
END $$;

-- Writes a JSON value as it is sent to readers: as PostgreSQL does or, beyond so many bytes, by compact_json.
CREATE FUNCTION readable_json(value JSONB, most_bytes INTEGER) RETURNS TEXT LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    written TEXT := value;
BEGIN
    RETURN CASE WHEN octet_length(written) > most_bytes THEN compact_json(value) ELSE written END;
END $$;

-- Reads a page: events of the log, or of one aggregate, from a number on, upwards or downwards.
--
--   aggregate                    whose events; null for the log
--   step                         1 or -1
--   first, last                  the numbers between which to read, both inclusive: versions or positions
--   aggregate_types, event_types patterns of LIKE of which one has to fit; null for all
--   most_events, most_bytes      the page's bounds: it ends with the event that reaches one of them
--
-- Returns a row for each event and at the end one without an event. All rows bear the head of the log in the same
-- snapshot, and the last one whether there are `more` events that did not fit. Identifiers and JSON come as text and
-- times as microseconds since 1970: nothing parses them on the way out.
--
-- The bytes are those of the JSON's text, which is what a page takes in memory and on the wire. Only PostgreSQL can
-- tell them, by writing the text. So it is written row by row, and no more of it than the page takes: what is
-- compressed on disk may be many times larger. An event that an earlier release accepted, and that is
-- too large for a client's default limit of 4 MiB with its numbers written out, is made readable by compact_json;
-- none that is appended now is above these bounds.
--
-- Of the four reads only one runs, the others have a false condition without a row in it. LIMIT keeps each on its
-- index, and the plan is made once per connection.
CREATE FUNCTION read_page(
    aggregate UUID, step INTEGER, first BIGINT, last BIGINT, aggregate_types TEXT[], event_types TEXT[],
    most_events BIGINT, most_bytes BIGINT
) RETURNS TABLE (
    head_position BIGINT, event_id TEXT, event_type TEXT, event_data TEXT, metadata TEXT, occurred_at BIGINT,
    aggregate_id TEXT, aggregate_type TEXT, event_version INTEGER, global_position BIGINT, created_at BIGINT,
    more BOOLEAN
) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    event events;
    taken BIGINT := 0;
    bytes BIGINT := 0;
BEGIN
    SELECT position INTO head_position FROM log_head;
    more := false;
    FOR event IN
        (SELECT * FROM events AS e
         WHERE aggregate IS NULL AND step = 1 AND e.global_position >= first AND e.global_position <= last
           AND (aggregate_types IS NULL OR e.aggregate_type LIKE ANY (aggregate_types))
           AND (event_types IS NULL OR e.event_type LIKE ANY (event_types))
         ORDER BY e.global_position LIMIT most_events + 1)
        UNION ALL
        (SELECT * FROM events AS e
         WHERE aggregate IS NULL AND step = -1 AND e.global_position <= first AND e.global_position >= last
           AND (aggregate_types IS NULL OR e.aggregate_type LIKE ANY (aggregate_types))
           AND (event_types IS NULL OR e.event_type LIKE ANY (event_types))
         ORDER BY e.global_position DESC LIMIT most_events + 1)
        UNION ALL
        (SELECT * FROM events AS e
         WHERE step = 1 AND e.aggregate_id = aggregate AND e.event_version >= first AND e.event_version <= last
         ORDER BY e.event_version LIMIT most_events + 1)
        UNION ALL
        (SELECT * FROM events AS e
         WHERE step = -1 AND e.aggregate_id = aggregate AND e.event_version <= first AND e.event_version >= last
         ORDER BY e.event_version DESC LIMIT most_events + 1)
    LOOP
        IF taken = most_events OR bytes >= most_bytes THEN
            more := true;
            EXIT;
        END IF;
        event_data := event.event_data;
        metadata := event.metadata;
        IF octet_length(event_data) > 2097152 OR octet_length(metadata) > 131072 THEN
            event_data := compact_json(event.event_data);
            metadata := compact_json(event.metadata);
        END IF;
        taken := taken + 1;
        bytes := bytes + octet_length(event_data) + octet_length(metadata);
        event_id := event.event_id;
        event_type := event.event_type;
        occurred_at := extract(epoch FROM event.occurred_at) * 1000000;
        aggregate_id := event.aggregate_id;
        aggregate_type := event.aggregate_type;
        event_version := event.event_version;
        global_position := event.global_position;
        created_at := extract(epoch FROM event.created_at) * 1000000;
        RETURN NEXT;
    END LOOP;
    event_id := NULL;
    RETURN NEXT;
END $$;

REVOKE ALL ON FUNCTION compact_number, compact_json, readable_json, read_page FROM PUBLIC;
GRANT EXECUTE ON FUNCTION compact_number, compact_json, readable_json, read_page TO event_store_runtime;
