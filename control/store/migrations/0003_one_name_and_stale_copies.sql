-- An entry's installations of the organisation are told apart by their names. Those that share one get a part of
-- their identifier behind it, all but the oldest.
update installations i set name = left(i.name, 110) || ' (' || right(i.id::text, 12) || ')', version = version + 1
where i.scope = 'organisation' and exists (
    select 1 from installations o
    where o.entry_id = i.entry_id and o.scope = 'organisation' and lower(o.name) = lower(i.name) and o.id < i.id);

create unique index installations_one_name on installations (entry_id, lower(name)) where scope = 'organisation';

-- Changes whose events are out, and whose copies in Redis have still to be deleted. Written by the publisher in the
-- transaction that takes the change from the outbox, so that a copy is deleted whoever dies in between.
create table stale_copies (
    id bigint generated always as identity primary key,
    kind text not null,
    name text not null
);
