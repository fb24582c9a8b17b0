-- A mute of one alert: the same alert (see the subject of its events) that is no worse than it was then. Empty: the
-- mute is of everything that its pattern matches.
ALTER TABLE mutes ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE mutes ADD COLUMN label TEXT NOT NULL DEFAULT ''; -- what people call that alert
ALTER TABLE mutes ADD COLUMN severity TEXT NOT NULL DEFAULT ''; -- how bad it was; empty: it did not say
