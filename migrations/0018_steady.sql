-- The steady time line. A wall clock that is set does not move it: destinations.not_before and deliveries.due_at stand
-- on it, ids are minted on it, and meta's clock.lead says by how many milliseconds it is ahead of the wall clock.

ALTER TABLE messages ADD COLUMN planned_at BIGINT NOT NULL DEFAULT 0; -- created_at on the steady line; 0: before there was one
