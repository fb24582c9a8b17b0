-- The API: who may call it, and which requests it has answered.

-- api_keys: keys of the API. The key itself is not here: it is random, so its SHA-256 finds it and reveals nothing.
CREATE TABLE api_keys (
  id BYTEA PRIMARY KEY,
  hash BYTEA NOT NULL, -- SHA-256 of the whole text
  ending TEXT NOT NULL, -- its last characters, part of its checksum: they may be shown
  name TEXT NOT NULL,
  role TEXT NOT NULL, -- admin sender reader
  company_id TEXT NOT NULL DEFAULT '', -- the one company whose data it sees; empty: all
  owner TEXT NOT NULL DEFAULT '', -- the one customer whose webhooks it sees; empty: not limited
  created_by TEXT NOT NULL, -- what they are called
  created_at BIGINT NOT NULL,
  expires_at BIGINT, -- from then on it is refused
  last_used_at BIGINT, -- to the minute
  replaced_by BYTEA, -- the key that a rotation made
  revoked_at BIGINT
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);

-- idempotency: requests with an Idempotency-Key and what was answered, written in the unit of their effect.
CREATE TABLE idempotency (
  id BYTEA PRIMARY KEY,
  principal BYTEA NOT NULL, -- the API key that asked; zeros: NUNCIO_API_KEY
  idempotency_key TEXT NOT NULL,
  fingerprint BYTEA NOT NULL, -- SHA-256 of method, path and body
  answer TEXT, -- sealed: it may hold a secret that is shown once
  claimed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX idempotency_claim ON idempotency (principal, idempotency_key);
