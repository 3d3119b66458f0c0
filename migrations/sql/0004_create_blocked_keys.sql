-- Ordering keys that wait behind a message that cannot be published: what comes for them is parked too, in order.
CREATE TABLE blocked_keys (
    topic TEXT NOT NULL,
    ordering_key TEXT NOT NULL,
    blocked_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, ordering_key)
);
GRANT SELECT, INSERT, DELETE ON blocked_keys TO event_store_runtime;

-- How far each topic is, by its path; `position` is the least of them.
ALTER TABLE relays ADD COLUMN topic_positions JSONB NOT NULL DEFAULT '{}';
