-- Where servers may be put. Into a restricted one only by whoever holds the permission for it, and only for as long.
create table environments (
    id uuid primary key,
    name text not null,
    restricted boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version int not null default 1
);
create unique index environments_name on environments (lower(name));

alter table entries add column environment_id uuid references environments;
-- Who put it there: what this person holds says whether its servers may run in a restricted one.
alter table entries add column placed_by uuid references users on delete set null;
create index entries_environment on entries (environment_id) where environment_id is not null;

-- A change of an environment wakes whoever runs servers (0027), who look at the rows, not at what was told.
create trigger servers_of_environments after update on environments
    for each row execute function tell_of_servers();
