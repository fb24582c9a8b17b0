-- Decisions go before urgent alerts: rank -1. What waits from before this, or is on its way and may wait again, moves up.
UPDATE deliveries SET rank = -1 WHERE status IN ('pending', 'sending') AND rank = 0 AND EXISTS
  (SELECT 1 FROM events AS e WHERE e.id = deliveries.event_id
   AND (LOWER(REPLACE(e.kind, '_', '.')) IN ('machine.registered', 'machine.approved')
        OR (e.source = 'nuncio' AND SUBSTR(e.kind, 1, 9) = 'decision.')));
