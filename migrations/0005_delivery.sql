-- Delivery you can trust: what a lane found out about its destination, and which messages may stand twice.

ALTER TABLE destinations ADD COLUMN denied_reason TEXT; -- the lane's finding: not allowed for now, tried again by itself
ALTER TABLE destinations ADD COLUMN announced TEXT; -- the event that told people of it; none once it is reachable
ALTER TABLE messages ADD COLUMN maybe_duplicate BOOLEAN NOT NULL DEFAULT FALSE; -- sent again, its first fate unknown

-- What Discord counts towards a ban, for a process that starts again.
CREATE INDEX attempts_refused ON attempts (started_at) WHERE status IN (401, 403, 429);
