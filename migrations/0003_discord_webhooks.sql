-- Stored Discord webhooks as the API shows them: whose they are, how they look, what Discord says about them, their health.

-- destinations.company_id: the company whose key stored the webhook. Empty: none, and of every other sink.
ALTER TABLE destinations ADD COLUMN company_id TEXT NOT NULL DEFAULT '';
-- The icon of its messages; NULL: the one of DISPATCH_ICON_URL.
ALTER TABLE destinations ADD COLUMN avatar_url TEXT;
-- Failed attempts since the last message that arrived.
ALTER TABLE destinations ADD COLUMN consecutive_failures BIGINT NOT NULL DEFAULT 0;
-- What Discord answered to GET /webhooks/{id}/{token} when the address was stored; NULL: it was not reachable then.
ALTER TABLE destinations ADD COLUMN discord_name TEXT;
ALTER TABLE destinations ADD COLUMN discord_channel_id BIGINT;
ALTER TABLE destinations ADD COLUMN discord_guild_id BIGINT;

-- An address is stored once for each owner, in each company: whether another company has it nobody learns.
DROP INDEX destinations_address;
CREATE UNIQUE INDEX destinations_address ON destinations (sink, company_id, owner, address) WHERE deleted_at IS NULL;
-- The webhooks of one dispatch.
CREATE INDEX destinations_selection ON destinations (company_id, category, scope, owner)
  WHERE category IS NOT NULL AND deleted_at IS NULL;

-- destination_hours: attempts of stored webhooks by hour, for the failure rate of the last 24. Two days are kept.
CREATE TABLE destination_hours (
  destination_id BYTEA NOT NULL REFERENCES destinations (id),
  hour BIGINT NOT NULL, -- since the epoch
  sent BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  PRIMARY KEY (destination_id, hour)
);
