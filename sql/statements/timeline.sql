-- name: newest_polls()
-- For those who follow: which hosts have something new.
SELECT host_id, at_ms FROM host_latest;
