-- Messages in doubt: what bounds the search for one in its channel, and whether a message that is found there is some
-- other row's already.

ALTER TABLE destinations ADD COLUMN newest BIGINT; -- the newest message that nuncio knows it has posted there
ALTER TABLE messages ADD COLUMN posted_after BIGINT; -- what newest was when this one was planned
ALTER TABLE messages ADD COLUMN discord_time BIGINT; -- Discord's own time then, as far as an answer had proven it

DROP INDEX messages_receipt;
CREATE INDEX messages_receipt ON messages (receipt, channel_id) WHERE receipt IS NOT NULL;
