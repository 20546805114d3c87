-- When each source was heard, what came by it, and which calls are not over.
CREATE INDEX receipts_by_time ON receipts (tenant, source, received_at);
CREATE INDEX interactions_by_source ON interactions (tenant, source, started_at, interaction);
CREATE INDEX interactions_in_progress ON interactions (tenant, updated_at)
    WHERE state IN ('ringing', 'answered', 'held');
