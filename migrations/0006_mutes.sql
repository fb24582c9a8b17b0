-- mutes: kinds that nobody wants to hear of for a while. Their events are kept, their deliveries cancelled with the
-- mute's id as the reason, and summed up when it ends.
CREATE TABLE mutes (
  id TEXT PRIMARY KEY,
  pattern TEXT NOT NULL, -- a kind, or a glob
  until BIGINT NOT NULL, -- when it ends; sooner, if a person ends it
  reason TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  summed_at BIGINT -- when what it silenced was summed up
);
CREATE INDEX mutes_open ON mutes (until) WHERE summed_at IS NULL;
CREATE INDEX deliveries_muted ON deliveries (reason, destination_id) WHERE status = 'cancelled';
