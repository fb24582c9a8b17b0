-- An outage: from when on a destination that waits for its end may be tried again once anybody has come through. NULL if it
-- waits for something else, or for nothing.
ALTER TABLE destinations ADD COLUMN retry_from BIGINT;
