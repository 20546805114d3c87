-- What is to be told to CRMs and webhooks. Times are microseconds since 1970-01-01 UTC. The tenant leads every key.

CREATE TABLE deliveries (
    tenant         TEXT    NOT NULL,
    -- A UUID of version 7: the order in which they were decided.
    id             UUID    NOT NULL,
    -- `plugin:NAME` or `webhook:ID`.
    target         TEXT    NOT NULL,
    lane           TEXT    NOT NULL,
    -- The place in the lane.
    seq            BIGINT NOT NULL,
    interaction    UUID,
    step           TEXT    NOT NULL,
    -- The idempotency key.
    key            UUID    NOT NULL,
    -- Erased once it is delivered.
    payload        TEXT    NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('open', 'done', 'dead')),
    not_before     BIGINT NOT NULL,
    at             BIGINT NOT NULL,
    tries          BIGINT NOT NULL DEFAULT 0,
    -- The day to be delivered in counts from here.
    first_tried_at BIGINT,
    tried_at       BIGINT,
    settled_at     BIGINT,
    failure_code   TEXT,
    failure_text   TEXT,
    -- What the CRM had afterwards.
    record_kind    TEXT,
    record_id      TEXT,
    record_url     TEXT,
    PRIMARY KEY (tenant, id)
);

CREATE UNIQUE INDEX deliveries_by_key ON deliveries (tenant, target, key);
CREATE INDEX deliveries_in_lane ON deliveries (tenant, target, lane, seq) WHERE state = 'open';
CREATE INDEX deliveries_by_state ON deliveries (tenant, state, id);
CREATE INDEX deliveries_by_target ON deliveries (tenant, state, target, id);
CREATE INDEX deliveries_about ON deliveries (tenant, interaction, id) WHERE interaction IS NOT NULL;

-- The lanes that have something open.
CREATE TABLE delivery_lanes (
    tenant   TEXT    NOT NULL,
    target   TEXT    NOT NULL,
    lane     TEXT    NOT NULL,
    last_seq BIGINT NOT NULL,
    -- When to look at the lane next; while it is leased, when the lease ends.
    due_at   BIGINT NOT NULL,
    lease    UUID,
    PRIMARY KEY (tenant, target, lane)
);

CREATE INDEX delivery_lanes_due ON delivery_lanes (tenant, target, due_at);

-- Every target that ever had a delivery, and whether it waits for a person.
CREATE TABLE delivery_targets (
    tenant     TEXT NOT NULL,
    target     TEXT NOT NULL,
    paused_at  BIGINT,
    pause_code TEXT,
    pause_text TEXT,
    PRIMARY KEY (tenant, target)
);

-- The record that each target keeps for an interaction, or for a part of it such as one day of a conversation: what
-- later steps bring up to date.
CREATE TABLE delivery_records (
    tenant      TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    interaction UUID    NOT NULL,
    part        TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    url         TEXT,
    at          BIGINT NOT NULL,
    PRIMARY KEY (tenant, target, interaction, part)
);

SELECT wall_off('deliveries');
SELECT wall_off('delivery_lanes');
SELECT wall_off('delivery_targets');
SELECT wall_off('delivery_records');
