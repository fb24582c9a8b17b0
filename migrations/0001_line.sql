-- The line: what happened, where it goes, what was sent, what came of it. One text for SQLite and PostgreSQL:
-- times are BIGINT milliseconds since the epoch, ids TEXT made by nuncio, bytes BYTEA (SQLite keeps them a BLOB).

-- meta: what belongs to no row.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, updated_at BIGINT NOT NULL);

-- companies: the names of customers, learnt from events that carry both id and name.
CREATE TABLE companies (
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (source, id)
);

-- destinations: one row per lane. Lease, cooldown and closure live here because they are the lane's, not a
-- delivery's. Rows are never removed while deliveries name them: deleted_at marks them.
CREATE TABLE destinations (
  id TEXT PRIMARY KEY,
  sink TEXT NOT NULL,
  owner TEXT NOT NULL DEFAULT '',
  address TEXT NOT NULL, -- of a channel its id
  company_id TEXT NOT NULL DEFAULT '',
  guild_id TEXT NOT NULL DEFAULT '',
  name TEXT NOT NULL,
  origin TEXT NOT NULL, -- environment, or who added it
  enabled BOOLEAN NOT NULL DEFAULT TRUE, -- a person's wish
  closed_reason TEXT, -- the lane's finding
  not_before BIGINT NOT NULL DEFAULT 0,
  failing_since BIGINT,
  last_error TEXT,
  last_success_at BIGINT,
  lane_owner TEXT,
  lane_until BIGINT NOT NULL DEFAULT 0,
  lane_epoch BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT
);
CREATE UNIQUE INDEX destinations_address ON destinations (sink, owner, address) WHERE deleted_at IS NULL;

-- events: raw bytes, exactly as signed. Id order is commit order and carries the time.
CREATE TABLE events (
  id TEXT PRIMARY KEY,
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  company_id TEXT NOT NULL DEFAULT '',
  dedupe_key TEXT NOT NULL,
  subject TEXT NOT NULL DEFAULT '',
  cause TEXT NOT NULL DEFAULT '',
  occurred_at BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  unrouted BOOLEAN NOT NULL DEFAULT FALSE, -- no key of the map matched: kept until there is a route
  body BYTEA NOT NULL,
  UNIQUE (source, dedupe_key)
);
CREATE INDEX events_subject ON events (source, subject, id) WHERE subject <> '';
CREATE INDEX events_unrouted ON events (id) WHERE unrouted;

-- messages: one planned request, durable before its first byte leaves: nonce and composition, later the receipt.
CREATE TABLE messages (
  id TEXT PRIMARY KEY,
  destination_id TEXT NOT NULL REFERENCES destinations (id),
  nonce TEXT NOT NULL UNIQUE,
  action TEXT NOT NULL, -- create
  form TEXT NOT NULL, -- single plain
  pings TEXT NOT NULL DEFAULT '', -- role ids, comma between
  state TEXT NOT NULL, -- sending sent refused withdrawn
  lane_epoch BIGINT NOT NULL,
  ambiguous_since BIGINT,
  channel_id TEXT,
  receipt TEXT,
  created_at BIGINT NOT NULL,
  finished_at BIGINT
);
CREATE INDEX messages_open ON messages (destination_id, id) WHERE state = 'sending';
CREATE INDEX messages_receipt ON messages (receipt) WHERE receipt IS NOT NULL;

-- deliveries: (event, destination, slot). Inserted pending together with their event.
CREATE TABLE deliveries (
  id TEXT PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
  destination_id TEXT NOT NULL REFERENCES destinations (id),
  slot TEXT NOT NULL DEFAULT '',
  generation BIGINT NOT NULL DEFAULT 0,
  route TEXT NOT NULL DEFAULT '', -- the map's key that sent it here
  rank BIGINT NOT NULL DEFAULT 1, -- 0 overtakes
  status TEXT NOT NULL CHECK (status IN ('pending', 'sending', 'delivered', 'dead', 'cancelled')),
  due_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0,
  message_id TEXT REFERENCES messages (id),
  reason TEXT,
  finished_at BIGINT,
  UNIQUE (event_id, destination_id, slot)
);
CREATE INDEX deliveries_lane ON deliveries (destination_id, rank, id) WHERE status = 'pending';
CREATE INDEX deliveries_message ON deliveries (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX deliveries_dead ON deliveries (id) WHERE status = 'dead';

-- attempts: one HTTP exchange of one message.
CREATE TABLE attempts (
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  number BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  took_ms BIGINT NOT NULL,
  status BIGINT,
  class TEXT NOT NULL,
  code BIGINT,
  retry_after_ms BIGINT,
  response BYTEA,
  PRIMARY KEY (message_id, number)
);

-- quarantine: signed but unreadable. Unique, so that a sender that tries again makes one row.
CREATE TABLE quarantine (
  id TEXT PRIMARY KEY,
  source TEXT NOT NULL,
  received_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  head BYTEA NOT NULL,
  UNIQUE (source, sha256)
);
