-- Decisions: what a card's buttons ask, and what people and the platform said to it. One row is one question (may this
-- machine join? the buttons of a ticket or an alert), or one wish that came of a ticket's buttons.
--
-- verdict, what people said: open approved denied expired; of an alert taken, of a wish made.
-- platform, what the platform said: unasked telling confirmed refused held. The two are separate facts: approved here
-- and refused there is a state that people must see.
CREATE TABLE decisions (
  id TEXT PRIMARY KEY, -- dec_…, also the Idempotency-Key of its call
  token TEXT NOT NULL UNIQUE, -- 128 random bits: besides the action all that a custom_id holds
  kind TEXT NOT NULL, -- machine ticket alert; take note close
  source TEXT NOT NULL,
  subject TEXT NOT NULL,
  round BIGINT NOT NULL, -- a machine that registers again after a verdict is asked about anew
  object TEXT NOT NULL DEFAULT '', -- its id in the platform's paths; empty: it cannot be called
  also TEXT NOT NULL DEFAULT '', -- a machine's other id
  label TEXT NOT NULL, -- what people call it
  event_id TEXT NOT NULL, -- the event whose card asks; no reference, for decisions outlive events
  asked BIGINT NOT NULL DEFAULT 1, -- how often, in this round
  asked_at BIGINT NOT NULL,
  verdict TEXT NOT NULL,
  platform TEXT NOT NULL DEFAULT 'unasked',
  actor_id TEXT,
  actor_name TEXT,
  reason TEXT, -- of a denial; the text of a note
  decided_at BIGINT,
  elsewhere_at BIGINT, -- when the platform said by itself that it is approved
  delivery_id TEXT, -- the call that tells the platform
  attempts BIGINT NOT NULL DEFAULT 0, -- of that call
  due_at BIGINT, -- when the call is made, or made again
  said TEXT, -- what the platform answered, for people
  settled_at BIGINT, -- when it gave its word
  expires_at BIGINT,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX decisions_round ON decisions (source, kind, subject, round);
CREATE UNIQUE INDEX decisions_open ON decisions (source, subject) WHERE verdict = 'open';
-- One wish of a kind is on its way at a time; notes may be many.
CREATE UNIQUE INDEX decisions_wish ON decisions (source, subject, kind)
  WHERE kind IN ('take', 'close') AND platform = 'telling';
CREATE INDEX decisions_object ON decisions (source, object) WHERE kind = 'machine';
CREATE INDEX decisions_also ON decisions (source, also) WHERE kind = 'machine' AND also <> '';
CREATE INDEX decisions_call ON decisions (delivery_id) WHERE delivery_id IS NOT NULL;
CREATE INDEX decisions_expiry ON decisions (expires_at) WHERE verdict = 'open' AND expires_at IS NOT NULL;
