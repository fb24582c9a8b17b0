-- What a message that is under way carries: a digest marks thousands of deliveries a hundred at a time, and must not go
-- through all of them for each hundred.
CREATE INDEX deliveries_sending ON deliveries (message_id, id) WHERE status = 'sending';
-- What was asked about one thing, of any kind.
CREATE INDEX decisions_subject ON decisions (source, subject);
