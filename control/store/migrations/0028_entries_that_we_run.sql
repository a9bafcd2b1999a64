-- An entry may be of a server that Archway runs: what is run, in place of a URL (control/registry/self_hosted.py).
alter table entries drop constraint entries_kind_check;
alter table entries add constraint entries_kind_check check (kind in ('remote', 'self_hosted'));
alter table entries add column run jsonb;
alter table entries add constraint entries_run_check check ((kind = 'self_hosted') = (run is not null));
-- Its own secrets for that server: sealed JSON of variable or file to value, bound to the entry's id.
alter table entries add column run_secrets bytea;
alter table entries add column run_secret_names text[] not null default '{}';

-- Credentials of image registries: one whose password is sealed here, or the name of a secret that somebody else keeps
-- in the cluster. A team's are seen and used by that team alone;
-- without a team they are the organisation's.
create table pull_secrets (
    id uuid primary key,
    name text not null,
    kind text not null check (kind in ('registry', 'cluster')),
    team_id uuid references teams on delete set null,
    registry text not null default '',
    username text not null default '',
    -- sealed, bound to the row, the registry and the user
    password bytea,
    secret_name text not null default '',
    created_by uuid references users on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version int not null default 1,
    check ((kind = 'registry') = (password is not null) and (kind = 'cluster') = (secret_name <> ''))
);
create unique index pull_secrets_name on pull_secrets (lower(name));

-- What control of the version before does not say, triggers say for it (0019, 0023). They know of variables and files
-- now, and leave alone what is bound to a command.
create or replace function places_of_secrets(of_entry uuid, names text[]) returns jsonb stable language sql as $$
    select coalesce(jsonb_object_agg(name, place), '{}') from (
        select f ->> 'name' as name, case
            when f ->> 'header' <> '' then f ->> 'header'
            when f ->> 'variable' <> '' then 'variable ' || (f ->> 'variable')
            when f ->> 'file' <> '' then 'file ' || (f ->> 'file')
            else '' end as place
        from entries e, jsonb_array_elements(e.fields) f
        where e.id = of_entry and f ->> 'type' = 'secret'
        union all
        select 'credential', case credential ->> 'style'
            when 'bearer' then 'authorization: Bearer'
            when 'authorization' then 'authorization'
            when 'variable' then 'variable ' || (credential ->> 'variable')
            when 'file' then 'file ' || (credential ->> 'file')
            else credential ->> 'header' end
        from entries where id = of_entry and credential ->> 'kind' = 'static'
    ) asked where name = any(names)
$$;
create or replace function installations_bound_url() returns trigger language plpgsql as $$
begin
    if starts_with(new.bound_url, 'run:') then
        return new;
    end if;
    if (tg_op = 'INSERT' and new.bound_url = '')
        or (tg_op = 'UPDATE' and new.credential_version <> old.credential_version and new.bound_url = old.bound_url)
    then
        new.bound_url = coalesce(url_of_server(new.entry_id, new.plain_values), '');
    end if;
    return new;
end $$;
