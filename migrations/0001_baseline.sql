-- The schema, one text for SQLite and PostgreSQL. Times are BIGINT milliseconds since the epoch; ids are the 16 bytes of a
-- UUID v7, made by nuncio, which sort by time; Discord's ids are BIGINT; bytes are BYTEA, which SQLite keeps as a BLOB.

-- meta: what belongs to no row.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, updated_at BIGINT NOT NULL);

-- companies: the names of customers, learned from events that carry both id and name.
CREATE TABLE companies (
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (source, id)
);

-- destinations: one row per lane. Rows are never removed while deliveries name them: deleted_at marks them. The address of a
-- stored webhook is "<webhook id>/<last 4 of its token>[?thread_id=<id>]", which may be shown; of a channel it is its id.
CREATE TABLE destinations (
  id BYTEA PRIMARY KEY,
  sink TEXT NOT NULL,
  owner TEXT NOT NULL DEFAULT '', -- of a stored webhook
  address TEXT NOT NULL,
  name TEXT NOT NULL,
  origin TEXT NOT NULL, -- environment discord stored …: who added it
  category TEXT, -- of a stored webhook: GAME_SERVER VPS SYSTEM BILLING SECURITY SUPPORT CUSTOM
  scope TEXT, -- of a stored webhook: ADMIN USER PUBLIC
  sealed TEXT, -- of a stored webhook its address, which is a password; opens with the key and in this row only
  description TEXT NOT NULL DEFAULT '',
  enabled BOOLEAN NOT NULL DEFAULT TRUE, -- a person's wish
  closed_reason TEXT, -- the lane's finding
  denied_reason TEXT, -- the lane's finding: not allowed for now, tried again by itself
  announced BYTEA, -- the event that told people of it; none once it is reachable
  not_before BIGINT NOT NULL DEFAULT 0, -- in steady time
  retry_from BIGINT, -- in an outage: when it may be tried again once another destination could be reached
  failing_since BIGINT,
  last_error TEXT,
  last_success_at BIGINT,
  test_success_at BIGINT, -- when a test last arrived
  newest BIGINT, -- the newest message that nuncio knows it has posted there
  lane_epoch BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  deleted_at BIGINT
);
CREATE UNIQUE INDEX destinations_address ON destinations (sink, owner, address) WHERE deleted_at IS NULL;

-- events: raw bytes, exactly as signed. Id order is commit order and carries the time.
CREATE TABLE events (
  id BYTEA PRIMARY KEY,
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  company_id TEXT NOT NULL DEFAULT '',
  dedupe_key BYTEA NOT NULL, -- half a SHA-256
  subject TEXT NOT NULL DEFAULT '', -- includes the customer: see src/model/subject.rs
  cause BYTEA, -- the event that led to it
  severity TEXT NOT NULL DEFAULT '', -- how bad it is; empty: it does not say
  occurred_at BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  unrouted BOOLEAN NOT NULL DEFAULT FALSE, -- no key of the map matched: kept until there is a route
  body BYTEA NOT NULL,
  UNIQUE (source, subject, dedupe_key) -- the same bytes are about the same thing; it finds the events about one thing, too
);
CREATE INDEX events_unrouted ON events (id) WHERE unrouted;
-- Of an alert there may be thousands.
CREATE INDEX events_alert ON events (source, subject, id) WHERE SUBSTR(subject, 1, 6) = 'alert:';

-- messages: one planned request, durable before its first byte leaves: nonce and composition, later the receipt. If it
-- arrived at the first attempt, that attempt is part of its row: started_at, took_ms, status.
CREATE TABLE messages (
  id BYTEA PRIMARY KEY,
  destination_id BYTEA NOT NULL REFERENCES destinations (id),
  nonce TEXT, -- 120 random bits, never looked up; NULL once it is over
  action TEXT NOT NULL, -- create edit
  edits TEXT, -- of one that changes another: "channel/message" in Discord
  form TEXT NOT NULL, -- single pack digest reply plain
  pings TEXT NOT NULL DEFAULT '', -- role ids, comma between
  state TEXT NOT NULL CHECK (state IN ('sending', 'sent', 'refused', 'withdrawn')),
  settling BOOLEAN NOT NULL DEFAULT FALSE, -- of a digest that is sending: it is in Discord, and its deliveries are being marked
  lane_epoch BIGINT NOT NULL,
  ambiguous_since BIGINT,
  maybe_duplicate BOOLEAN NOT NULL DEFAULT FALSE, -- sent again, its first fate unknown
  crashes BIGINT NOT NULL DEFAULT 0, -- how often its lane crashed while it was on its way
  channel_id BIGINT,
  receipt BIGINT, -- the message in Discord
  posted_after BIGINT, -- the newest known message of its destination when it was planned; NULL once it is over
  discord_time BIGINT, -- Discord's own time then, as far as an answer had proven it; NULL once it is over
  planned_at BIGINT NOT NULL DEFAULT 0, -- created_at in steady time
  created_at BIGINT NOT NULL,
  finished_at BIGINT,
  started_at BIGINT,
  took_ms BIGINT,
  status BIGINT
);
CREATE INDEX messages_open ON messages (destination_id, id) WHERE state = 'sending';
CREATE INDEX messages_receipt ON messages (receipt) WHERE receipt IS NOT NULL;

-- deliveries: (event, destination, slot). Inserted pending together with their event.
CREATE TABLE deliveries (
  id BYTEA PRIMARY KEY,
  event_id BYTEA NOT NULL REFERENCES events (id) ON DELETE CASCADE,
  destination_id BYTEA NOT NULL REFERENCES destinations (id),
  slot TEXT NOT NULL DEFAULT '', -- empty: the event's card
  generation BIGINT NOT NULL DEFAULT 0,
  route TEXT NOT NULL DEFAULT '', -- the map's key that sent it here
  rank BIGINT NOT NULL DEFAULT 1, -- -1 decisions, 0 urgent alerts, 1 the rest, 2 in the background
  status TEXT NOT NULL CHECK (status IN ('pending', 'sending', 'delivered', 'dead', 'cancelled')),
  due_at BIGINT NOT NULL, -- in steady time
  attempts BIGINT NOT NULL DEFAULT 0,
  message_id BYTEA REFERENCES messages (id),
  reason TEXT,
  muted_by BYTEA, -- the mute that cancelled it
  finished_at BIGINT,
  UNIQUE (event_id, destination_id, slot)
);
CREATE INDEX deliveries_lane ON deliveries (destination_id, rank, id) WHERE status = 'pending';
-- A digest's deliveries are read and marked page by page: in their order, each of them once.
CREATE INDEX deliveries_message ON deliveries (message_id, id) WHERE message_id IS NOT NULL;
-- Their last characters, which lists and cards show.
CREATE INDEX deliveries_short ON deliveries (SUBSTR(id, 13)) WHERE finished_at IS NOT NULL;
CREATE INDEX deliveries_dead ON deliveries (id) WHERE status = 'dead';
CREATE INDEX deliveries_muted ON deliveries (muted_by, destination_id) WHERE muted_by IS NOT NULL;

-- earlier_messages: the messages a delivery has left behind, undelivered or before it was redelivered. Together with
-- deliveries.message_id they lead to all of its attempts. Nothing is written here for what arrives at the first try.
CREATE TABLE earlier_messages (
  delivery_id BYTEA NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
  message_id BYTEA NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  PRIMARY KEY (delivery_id, message_id)
);
CREATE INDEX earlier_messages_message ON earlier_messages (message_id);

-- attempts: one HTTP exchange of one message, but for the only one of a message that arrived at the first attempt.
CREATE TABLE attempts (
  message_id BYTEA NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  number BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  took_ms BIGINT NOT NULL,
  status BIGINT,
  class TEXT NOT NULL,
  code BIGINT,
  retry_after_ms BIGINT,
  response BYTEA,
  PRIMARY KEY (message_id, number)
);
-- What Discord counts towards a ban, for a process that starts again.
CREATE INDEX attempts_refused ON attempts (started_at) WHERE status IN (401, 403, 429);

-- quarantine: signed but unreadable. Unique, so that a sender that tries again makes one row.
CREATE TABLE quarantine (
  id BYTEA PRIMARY KEY,
  source TEXT NOT NULL,
  received_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  head BYTEA NOT NULL,
  UNIQUE (source, sha256)
);

-- cards: the one message that shows a subject in a destination. Written when that message is in Discord.
CREATE TABLE cards (
  destination_id BYTEA NOT NULL REFERENCES destinations (id),
  source TEXT NOT NULL,
  subject TEXT NOT NULL,
  message_id BYTEA NOT NULL REFERENCES messages (id) ON DELETE CASCADE, -- the one that made it, whatever changed it since
  place BIGINT NOT NULL DEFAULT 0, -- which of the message's embeds it is
  since BYTEA NOT NULL, -- the first event it shows
  since_at BIGINT NOT NULL, -- the time in that event's id
  state TEXT NOT NULL DEFAULT '', -- of an alert its severity
  state_at BIGINT NOT NULL, -- when what it shows happened, by the source's clock
  closed BOOLEAN NOT NULL DEFAULT FALSE,
  frozen BOOLEAN NOT NULL DEFAULT FALSE, -- it cannot be changed any more: the next event posts a new one
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (destination_id, source, subject)
);
CREATE INDEX cards_message ON cards (message_id);

-- decisions: what a card's buttons ask, people's answer and the platform's reply. One row is one question (may this
-- machine join? the buttons of a ticket or an alert), or one action that was requested with a ticket's buttons.
--
-- verdict, people's answer: open approved denied expired; of an alert taken, of an action requested.
-- platform, the state of the call to the platform: not_called calling confirmed refused held. The two are separate facts:
-- approved here and refused there is a state that people must see.
CREATE TABLE decisions (
  id BYTEA PRIMARY KEY, -- also the Idempotency-Key of its call
  token TEXT NOT NULL UNIQUE, -- 128 random bits: besides the action all that a custom_id holds
  kind TEXT NOT NULL, -- machine ticket alert; take note close
  source TEXT NOT NULL,
  subject TEXT NOT NULL,
  company_id TEXT NOT NULL DEFAULT '',
  round BIGINT NOT NULL, -- a machine that registers again after a verdict is asked about anew
  object TEXT NOT NULL DEFAULT '', -- its id in the platform's paths; empty: it cannot be called
  alternate_id TEXT NOT NULL DEFAULT '', -- a machine's other id
  label TEXT NOT NULL, -- what people call it
  event_id BYTEA NOT NULL, -- the event whose card asks; no reference, for decisions outlive events
  asked BIGINT NOT NULL DEFAULT 1, -- how often, in this round
  asked_at BIGINT NOT NULL,
  verdict TEXT NOT NULL,
  platform TEXT NOT NULL DEFAULT 'not_called',
  actor_id BIGINT,
  actor_name TEXT,
  reason TEXT, -- of a denial; the text of a note
  decided_at BIGINT,
  approved_upstream_at BIGINT, -- when the platform reported by itself that it is approved
  delivery_id BYTEA, -- the call to the platform
  attempts BIGINT NOT NULL DEFAULT 0, -- of that call
  due_at BIGINT, -- when the call is made, or made again
  platform_reply TEXT, -- for people
  settled_at BIGINT, -- when it replied for good
  expires_at BIGINT,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX decisions_round ON decisions (source, kind, subject, round);
CREATE UNIQUE INDEX decisions_open ON decisions (source, subject) WHERE verdict = 'open';
-- One action of a kind is on its way at a time; notes may be many.
CREATE UNIQUE INDEX decisions_action ON decisions (source, subject, kind)
  WHERE kind IN ('take', 'close') AND platform = 'calling';
CREATE INDEX decisions_subject ON decisions (source, subject);
CREATE INDEX decisions_object ON decisions (source, object) WHERE kind = 'machine';
CREATE INDEX decisions_alternate_id ON decisions (source, alternate_id) WHERE kind = 'machine' AND alternate_id <> '';
CREATE INDEX decisions_call ON decisions (delivery_id) WHERE delivery_id IS NOT NULL;
CREATE INDEX decisions_expiry ON decisions (expires_at) WHERE verdict = 'open' AND expires_at IS NOT NULL;

-- mutes: kinds that nobody wants to hear of for a while. Their events are kept, their deliveries cancelled, and summed up
-- when it ends. A mute of one alert (subject) is of that alert as long as it is no worse than it was then.
CREATE TABLE mutes (
  id BYTEA PRIMARY KEY,
  pattern TEXT NOT NULL, -- a kind, or a glob
  subject TEXT NOT NULL DEFAULT '', -- of one alert; empty: the mute is of everything that its pattern matches
  label TEXT NOT NULL DEFAULT '', -- what people call that alert
  severity TEXT NOT NULL DEFAULT '', -- how bad it was; empty: it did not say
  until BIGINT NOT NULL, -- when it ends; sooner, if a person ends it
  reason TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  summed_at BIGINT -- when what it silenced was summed up
);
CREATE INDEX mutes_open ON mutes (until) WHERE summed_at IS NULL;

-- routes: where people on Discord said that a kind of event goes. For the same key they go before the environment's
-- map, whose entries stay in memory. What was removed stands in the audit log.
CREATE TABLE routes (
  id BYTEA PRIMARY KEY,
  pattern TEXT NOT NULL, -- a kind, a glob or default, in canonical form
  company_id TEXT NOT NULL DEFAULT '', -- the one customer it is for; empty: everybody
  destination_id BYTEA NOT NULL REFERENCES destinations (id),
  created_by TEXT NOT NULL, -- what they are called
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX routes_key ON routes (pattern, company_id, destination_id);

-- audit: what people did, one row each, never changed and never removed. Every row carries a code over itself and
-- the row before it, made with a key that is not in this database; meta's audit.head says which row is the last.
CREATE TABLE audit (
  seq BIGINT PRIMARY KEY, -- 1, 2, 3 … without a gap
  at BIGINT NOT NULL,
  actor_id TEXT NOT NULL, -- a Discord id, or shell, nuncio, xtsystems
  actor_name TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  outcome TEXT NOT NULL, -- done refused failed
  detail TEXT NOT NULL,
  channel_id TEXT NOT NULL DEFAULT '',
  interaction_id TEXT UNIQUE, -- one row a click, however often the gateway tells it
  reference TEXT NOT NULL DEFAULT '', -- dec_… evt_…
  mac BYTEA NOT NULL
);
