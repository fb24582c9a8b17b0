-- The customer is part of the subject: two of them may call different things by the same short id. What names no customer
-- stays as it is, unless its id holds the sign that now stands before a customer (see src/model/subject.rs). The
-- fingerprint of an alert holds its customer already.
ALTER TABLE decisions ADD COLUMN company_id TEXT NOT NULL DEFAULT '';
UPDATE decisions SET company_id = COALESCE((SELECT e.company_id FROM events AS e WHERE e.id = decisions.event_id AND LENGTH(e.company_id) <= 200), '');
UPDATE decisions SET subject = subject || '@'
  WHERE company_id = '' AND source = 'xtsystems' AND subject LIKE '%@%' AND SUBSTR(subject, 1, 6) <> 'alert:';
UPDATE decisions SET subject = subject || '@' || REPLACE(REPLACE(company_id, '%', '%25'), '@', '%40')
  WHERE company_id <> '' AND source = 'xtsystems' AND SUBSTR(subject, 1, 6) <> 'alert:';

UPDATE cards SET subject = subject || '@'
  WHERE source = 'xtsystems' AND subject LIKE '%@%' AND SUBSTR(subject, 1, 6) <> 'alert:'
  AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.id = cards.since AND e.company_id <> '');
UPDATE cards SET subject = subject || '@' || (SELECT REPLACE(REPLACE(e.company_id, '%', '%25'), '@', '%40') FROM events AS e WHERE e.id = cards.since)
  WHERE source = 'xtsystems' AND SUBSTR(subject, 1, 6) <> 'alert:'
  AND EXISTS (SELECT 1 FROM events AS e WHERE e.id = cards.since AND e.company_id <> '' AND LENGTH(e.company_id) <= 200);

UPDATE events SET subject = subject || '@'
  WHERE company_id = '' AND source = 'xtsystems' AND subject LIKE '%@%' AND SUBSTR(subject, 1, 6) <> 'alert:';
UPDATE events SET subject = subject || '@' || REPLACE(REPLACE(company_id, '%', '%25'), '@', '%40')
  WHERE company_id <> '' AND LENGTH(company_id) <= 200 AND source = 'xtsystems' AND subject <> '' AND SUBSTR(subject, 1, 6) <> 'alert:';
