-- What lists ask for, so that none reads a whole table: interactions in a state or of a queue, the messages of a day.

-- The condition is always true: with it SQLite prefers this index to the one by time alone.
CREATE INDEX interactions_by_state ON interactions (tenant, state, started_at DESC, interaction DESC) WHERE state IS NOT NULL;
CREATE INDEX interactions_by_queue ON interactions (tenant, queue, started_at DESC, interaction DESC) WHERE queue IS NOT NULL;

-- When the message was written. Messages that are there get it to the millisecond from what is kept of them.
ALTER TABLE messages ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
UPDATE messages SET at = CAST(round(unixepoch(json_extract(body, '$.at'), 'subsec') * 1000) AS INTEGER) * 1000;
CREATE INDEX messages_by_time ON messages (tenant, interaction, at);

-- What a client's request asked for, by a digest: another request under the same identifier is none that came again.
ALTER TABLE receipts ADD COLUMN asked BLOB CHECK (length(asked) = 16);
