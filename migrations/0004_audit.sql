-- audit: what people did, one row each, never changed and never removed. Every row carries a code over itself and
-- the row before it, made with a key that is not in this database; meta's audit.head says which row is the last.
CREATE TABLE audit (
  seq BIGINT PRIMARY KEY, -- 1, 2, 3 … without a gap
  at BIGINT NOT NULL,
  actor_id TEXT NOT NULL, -- a Discord id, or shell, nuncio, xtsystems
  actor_name TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  outcome TEXT NOT NULL, -- done refused failed
  detail TEXT NOT NULL,
  channel_id TEXT NOT NULL DEFAULT '',
  interaction_id TEXT UNIQUE, -- one row a click, however often the gateway tells it
  reference TEXT NOT NULL DEFAULT '', -- dec_… evt_…
  mac BYTEA NOT NULL
);
CREATE INDEX audit_reference ON audit (reference) WHERE reference <> '';
