-- The CRMs' secrets. What they are, and how they stand, is inside `sealed`: the database never sees it. A removed
-- one keeps its row without a secret, so that its revision goes on and an old row cannot come back as a new one.
CREATE TABLE credentials (
    tenant     TEXT   NOT NULL,
    plugin     TEXT   NOT NULL,
    credential TEXT   NOT NULL,
    revision   BIGINT NOT NULL CHECK (revision > 0),
    key_id     TEXT,
    wrapped    BYTEA,
    sealed     BYTEA,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, plugin, credential),
    CHECK ((sealed IS NULL) = (key_id IS NULL) AND (sealed IS NULL) = (wrapped IS NULL))
);
SELECT wall_off('credentials');

-- Who is renewing a credential just now, among all nodes.
CREATE TABLE credential_leases (
    tenant     TEXT   NOT NULL,
    plugin     TEXT   NOT NULL,
    credential TEXT   NOT NULL,
    holder     UUID   NOT NULL,
    ends_at    BIGINT NOT NULL,
    PRIMARY KEY (tenant, plugin, credential)
);
SELECT wall_off('credential_leases');

-- Consents that a person has begun. `state` is a digest: who reads the table cannot finish one.
CREATE TABLE credential_consents (
    tenant     TEXT   NOT NULL,
    state      BYTEA  NOT NULL CHECK (length(state) = 32),
    plugin     TEXT   NOT NULL,
    credential TEXT   NOT NULL,
    admin      TEXT   NOT NULL,
    key_id     TEXT   NOT NULL,
    wrapped    BYTEA  NOT NULL,
    sealed     BYTEA  NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, state)
);
SELECT wall_off('credential_consents');
