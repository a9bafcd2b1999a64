-- How each server that we run does: the latest word of its runtime. A row is there from when it was first applied.
create table server_states (
    installation_id uuid primary key references installations on delete cascade,
    place text not null check (place in ('process', 'cluster')),
    phase text not null,
    cause text not null default '',
    message text not null default '',
    generation bigint not null,
    restarts integer not null default 0,
    endpoint text not null default '',
    isolation text not null default '',
    resolved jsonb,
    -- The generation that was last asked what it offers; -1: none was.
    asked_generation bigint not null default -1,
    changed_at timestamptz not null default now()
);

-- How often somebody asked for a restart; and the token that calls to its bridge must carry, sealed for the row.
alter table installations add column restarts_wanted integer not null default 0;
alter table installations add column bridge_token bytea;
-- The base image that its server runs, where it has none of its own, until somebody asks for a restart: a newer one in
-- the settings restarts nothing. '': the one of the settings, from the next look at it on.
alter table installations add column base_image text not null default '';

-- A change of an installation or of its entry wakes whoever runs its server.
create function tell_of_servers() returns trigger language plpgsql as $$
begin
    perform pg_notify('archway_servers', coalesce(new.id, old.id)::text);
    return null;
end $$;
create trigger servers_of_installations after insert or update or delete on installations
    for each row execute function tell_of_servers();
create trigger servers_of_entries after update on entries
    for each row execute function tell_of_servers();

-- Tells what is ours from what another Archway keeps in the same cluster.
alter table publication add column instance_id uuid not null default gen_random_uuid();

-- So does another token of its account, which a server may have in its environment.
create function tell_of_servers_account() returns trigger language plpgsql as $$
begin
    perform pg_notify('archway_servers', coalesce(new.installation_id, old.installation_id)::text);
    return null;
end $$;
create trigger servers_of_accounts_made after insert or delete on accounts
    for each row execute function tell_of_servers_account();
create trigger servers_of_accounts after update of tokens, place on accounts
    for each row execute function tell_of_servers_account();
