-- Ordering keys that wait behind a message that cannot be published: what comes for them is parked too, in order.
-- `changes` grows with each statement that parks for the key: whoever unblocks it says which of them was the last.
CREATE TABLE blocked_keys (
    topic TEXT NOT NULL,
    ordering_key TEXT NOT NULL,
    changes BIGINT NOT NULL DEFAULT 1,
    blocked_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, ordering_key)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON blocked_keys TO event_store_runtime;
CREATE INDEX idx_parked_messages_key ON parked_messages (topic, ordering_key, global_position);

-- How far each topic is, by its path; `position` is the least of them.
ALTER TABLE relays ADD COLUMN topic_positions JSONB NOT NULL DEFAULT '{}';
