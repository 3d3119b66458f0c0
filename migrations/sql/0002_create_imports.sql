-- How far each import is: so many events of its source are in the log, the last of them at that position.
CREATE TABLE imports (
    import_id VARCHAR(100) PRIMARY KEY,
    stored_events BIGINT NOT NULL DEFAULT 0,
    last_position BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE ON imports TO event_store_runtime;
