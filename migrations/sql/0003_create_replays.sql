-- Parts of the log that are published again, each to a topic of its own. `position` is the checkpoint. Each has
-- a lease of its own: who publishes it, for how long.
CREATE TABLE replays (
    replay_id UUID PRIMARY KEY,
    request JSONB NOT NULL,
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
    lease_owner TEXT,
    lease_epoch BIGINT NOT NULL DEFAULT 0,
    lease_expires_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT replays_state_check CHECK (state IN ('running', 'paused', 'finished', 'cancelled'))
) WITH (fillfactor = 50);
CREATE INDEX idx_replays_created_at ON replays (created_at);
-- Whoever looks for work looks here, each second.
CREATE INDEX idx_replays_running ON replays (created_at) WHERE state = 'running';
GRANT SELECT, INSERT, UPDATE ON replays TO event_store_runtime;

-- The replay whose message it is; null for the relay's.
ALTER TABLE parked_messages ADD COLUMN replay_id UUID;
