-- Times are microseconds since 1970-01-01 UTC. The tenant leads every key.
--
-- Row-level security is the second wall between tenants: `wall_off(table)` lets a transaction see and write only the
-- rows of the tenant that it named (`SET LOCAL ramal.tenant`), also where the role owns the table. A migration that
-- makes a table calls it; the store refuses to open a database with a table that has no wall.

CREATE FUNCTION wall_off(walled REGCLASS) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', walled);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', walled);
    EXECUTE format(
        'CREATE POLICY tenant_only ON %s USING (tenant = current_setting(''ramal.tenant'', true))
         WITH CHECK (tenant = current_setting(''ramal.tenant'', true))', walled);
END
$$;

-- Whose data is here. The names alone have no wall, so that a check knows whose data to walk through.
CREATE TABLE tenants (
    tenant TEXT NOT NULL PRIMARY KEY
);

-- What the events make of each call and conversation: `body` is all of it, the columns are what is searched for.
CREATE TABLE interactions (
    tenant      TEXT    NOT NULL,
    interaction UUID    NOT NULL,
    source      TEXT    NOT NULL,
    -- The provider's identifier of a call.
    reference   TEXT,
    -- What a conversation is found by while it goes on.
    open_key    TEXT,
    channel     TEXT    NOT NULL,
    direction   TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    queue       TEXT,
    started_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    -- The number of its last event. Who changes a row names the number that it read.
    seq         BIGINT NOT NULL,
    -- How many plugins were asked for the card and have not answered.
    pending     BIGINT NOT NULL DEFAULT 0 CHECK (pending >= 0),
    body        TEXT    NOT NULL,
    PRIMARY KEY (tenant, interaction)
);

CREATE UNIQUE INDEX interactions_by_reference ON interactions (tenant, source, reference) WHERE reference IS NOT NULL;
CREATE UNIQUE INDEX interactions_open ON interactions (tenant, source, open_key) WHERE open_key IS NOT NULL;
CREATE INDEX interactions_by_time ON interactions (tenant, started_at DESC, interaction DESC);
CREATE INDEX interactions_pending ON interactions (tenant, started_at) WHERE pending > 0;
CREATE INDEX interactions_idle ON interactions (tenant, updated_at) WHERE open_key IS NOT NULL;

-- What happened, in order. Never changed.
CREATE TABLE interaction_events (
    tenant      TEXT    NOT NULL,
    interaction UUID    NOT NULL,
    seq         BIGINT NOT NULL CHECK (seq > 0),
    id          UUID    NOT NULL,
    at          BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    actor       TEXT    NOT NULL,
    cause       TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    -- JSON.
    body        TEXT    NOT NULL,
    PRIMARY KEY (tenant, interaction, seq),
    FOREIGN KEY (tenant, interaction) REFERENCES interactions
);

-- The messages of conversations, as their events left them.
CREATE TABLE messages (
    tenant      TEXT    NOT NULL,
    interaction UUID    NOT NULL,
    seq         BIGINT NOT NULL,
    source      TEXT    NOT NULL,
    -- The provider's identifier.
    reference   TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    PRIMARY KEY (tenant, interaction, seq),
    FOREIGN KEY (tenant, interaction) REFERENCES interactions
);

CREATE UNIQUE INDEX messages_by_reference ON messages (tenant, source, reference);

-- What came from outside and was taken: the same identifier of the same source is taken once.
CREATE TABLE receipts (
    tenant      TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    interaction UUID    NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, source, event_id)
);

-- A customer's timeline, by each of the customer's names.
CREATE TABLE interaction_contacts (
    tenant      TEXT    NOT NULL,
    contact     TEXT    NOT NULL,
    started_at  BIGINT NOT NULL,
    interaction UUID    NOT NULL,
    PRIMARY KEY (tenant, contact, started_at, interaction)
);

-- Names that stood in one interaction together: one customer's. Both ways round.
CREATE TABLE contact_aliases (
    tenant  TEXT    NOT NULL,
    contact TEXT    NOT NULL,
    alias   TEXT    NOT NULL,
    since   BIGINT NOT NULL,
    PRIMARY KEY (tenant, contact, alias)
);

-- What a plugin answered for a call: a card, none, or a failure.
CREATE TABLE findings (
    tenant      TEXT    NOT NULL,
    interaction UUID    NOT NULL,
    plugin      TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (tenant, interaction, plugin)
);

CREATE TABLE live_events (
    tenant      TEXT    NOT NULL,
    id          BIGINT NOT NULL,
    kind        TEXT    NOT NULL,
    interaction UUID,
    body        TEXT    NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);

-- The last id given out. A table of its own, so that pruning the events can never give an id a second time.
CREATE TABLE live_heads (
    tenant  TEXT    NOT NULL PRIMARY KEY,
    last_id BIGINT NOT NULL
);

SELECT wall_off('interactions');
SELECT wall_off('interaction_events');
SELECT wall_off('messages');
SELECT wall_off('receipts');
SELECT wall_off('interaction_contacts');
SELECT wall_off('contact_aliases');
SELECT wall_off('findings');
SELECT wall_off('live_events');
SELECT wall_off('live_heads');
