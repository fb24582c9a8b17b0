-- What was asked about one thing, of any kind.
CREATE INDEX decisions_subject ON decisions (source, subject);
