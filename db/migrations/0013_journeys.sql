-- The list of journeys by where they stand and since when nothing happened; what goes on is a small part of what there ever was.
create index journeys_going_on on journeys (workspace_id, program, stage, last_event_at, id) where ended_at is null;
-- All journeys of one person, and of one appointment, order or claim.
create index journeys_by_subject on journeys (workspace_id, subject_id) where subject_id is not null;
create index journeys_by_object on journeys (workspace_id, object_id) where object_id is not null;
