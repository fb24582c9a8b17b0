-- earlier_messages: the messages a delivery has left behind, undelivered or before it was redelivered. Together with
-- deliveries.message_id they lead to all of its attempts. Nothing is written here for what arrives at the first try.
CREATE TABLE earlier_messages (
  delivery_id TEXT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  PRIMARY KEY (delivery_id, message_id)
);
CREATE INDEX earlier_messages_message ON earlier_messages (message_id);
