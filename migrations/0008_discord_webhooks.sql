-- Stored Discord webhooks: destinations that people add. Of such a one address holds "<webhook id>/<last 4 of its
-- token>[?thread_id=<id>]", which may be shown; owner whose it is, empty if nobody's.

ALTER TABLE destinations ADD COLUMN category TEXT; -- GAME_SERVER VPS SYSTEM BILLING SECURITY SUPPORT CUSTOM
ALTER TABLE destinations ADD COLUMN scope TEXT; -- ADMIN USER PUBLIC
ALTER TABLE destinations ADD COLUMN sealed TEXT; -- the address, which is a password; opens with the key and in this row only
ALTER TABLE destinations ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE destinations ADD COLUMN test_success_at BIGINT; -- when a test last arrived

CREATE INDEX destinations_category ON destinations (category, scope) WHERE deleted_at IS NULL AND category IS NOT NULL;
