-- A digest's deliveries are read and marked page by page: in their order, each of them once.
DROP INDEX deliveries_message;
CREATE INDEX deliveries_message ON deliveries (message_id, id) WHERE message_id IS NOT NULL;
