-- The CRMs' secrets. What they are, and how they stand, is inside `sealed`: the database never sees it. A removed
-- one keeps its row without a secret, so that its revision goes on and an old row cannot come back as a new one.
CREATE TABLE credentials (
    tenant     TEXT    NOT NULL,
    plugin     TEXT    NOT NULL,
    credential TEXT    NOT NULL,
    revision   INTEGER NOT NULL CHECK (revision > 0),
    key_id     TEXT,
    wrapped    BLOB,
    sealed     BLOB,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, plugin, credential),
    CHECK ((sealed IS NULL) = (key_id IS NULL) AND (sealed IS NULL) = (wrapped IS NULL))
) STRICT, WITHOUT ROWID;

-- Who is renewing a credential just now, among all nodes.
CREATE TABLE credential_leases (
    tenant     TEXT    NOT NULL,
    plugin     TEXT    NOT NULL,
    credential TEXT    NOT NULL,
    holder     BLOB    NOT NULL CHECK (length(holder) = 16),
    ends_at    INTEGER NOT NULL,
    PRIMARY KEY (tenant, plugin, credential)
) STRICT, WITHOUT ROWID;

-- Consents that a person has begun. `state` is a digest: who reads the table cannot finish one.
CREATE TABLE credential_consents (
    tenant     TEXT    NOT NULL,
    state      BLOB    NOT NULL CHECK (length(state) = 32),
    plugin     TEXT    NOT NULL,
    credential TEXT    NOT NULL,
    admin      TEXT    NOT NULL,
    key_id     TEXT    NOT NULL,
    wrapped    BLOB    NOT NULL,
    sealed     BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, state)
) STRICT, WITHOUT ROWID;
