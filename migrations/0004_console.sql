-- The console: who may open it.

-- console_links: links of `nuncio console` that nobody has used yet. The link itself is not here: it is random, so its
-- SHA-256 finds it and reveals nothing.
CREATE TABLE console_links (
  hash BYTEA PRIMARY KEY,
  created_by TEXT NOT NULL, -- what they are called
  expires_at BIGINT NOT NULL
);

-- console_sessions: browsers that are signed in. A session that ended has no row.
CREATE TABLE console_sessions (
  id BYTEA PRIMARY KEY,
  hash BYTEA NOT NULL, -- SHA-256 of the cookie
  name TEXT NOT NULL, -- what whoever made the link is called
  created_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL -- to the minute
);
CREATE UNIQUE INDEX console_sessions_hash ON console_sessions (hash);
