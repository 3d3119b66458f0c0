-- Parts of the log that are published again, each to a topic of its own. `position` is the checkpoint.
CREATE TABLE replays (
    replay_id UUID PRIMARY KEY,
    topic TEXT NOT NULL,
    from_position BIGINT NOT NULL,
    to_position BIGINT NOT NULL,
    aggregate_types TEXT[] NOT NULL,
    event_types TEXT[] NOT NULL,
    events_per_second INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'running',
    position BIGINT NOT NULL,
    published_events BIGINT NOT NULL DEFAULT 0,
    parked_events BIGINT NOT NULL DEFAULT 0,
    total_events BIGINT NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT replays_state_check CHECK (state IN ('running', 'paused', 'finished', 'cancelled'))
);
GRANT SELECT, INSERT, UPDATE ON replays TO event_store_runtime;
