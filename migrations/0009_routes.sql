-- routes: where people on Discord said that a kind of event goes. For the same key they go before the environment's
-- map, whose entries stay in memory. What was removed stands in the audit log.
CREATE TABLE routes (
  id TEXT PRIMARY KEY, -- rte_…
  pattern TEXT NOT NULL, -- a kind, a glob or default, in canonical form
  company_id TEXT NOT NULL DEFAULT '', -- the one customer it is for; empty: everybody
  destination_id TEXT NOT NULL REFERENCES destinations (id),
  created_by TEXT NOT NULL, -- what they are called
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX routes_key ON routes (pattern, company_id, destination_id);
