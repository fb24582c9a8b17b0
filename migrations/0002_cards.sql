-- Living cards: messages that change others, and which message shows a thing where.

-- edits: of a message that changes another, "channel/message" in Discord.
ALTER TABLE messages ADD COLUMN edits TEXT;

-- cards: the one message that shows a subject in a destination. Written when that message stands in Discord.
CREATE TABLE cards (
  destination_id TEXT NOT NULL REFERENCES destinations (id),
  source TEXT NOT NULL,
  subject TEXT NOT NULL,
  message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE, -- the one that made it, whatever changed it since
  place BIGINT NOT NULL DEFAULT 0, -- which of the message's embeds it is
  since TEXT NOT NULL, -- the first event it shows
  state TEXT NOT NULL DEFAULT '', -- of an alert its severity
  state_at BIGINT NOT NULL, -- when what it shows happened, by the source's clock
  closed BOOLEAN NOT NULL DEFAULT FALSE,
  frozen BOOLEAN NOT NULL DEFAULT FALSE, -- it cannot be changed any more: the next event posts a new one
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (destination_id, source, subject)
);
CREATE INDEX cards_message ON cards (message_id);
