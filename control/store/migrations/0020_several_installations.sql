-- Each owner of an entry may have several installations of it, told apart by their names; one of them is the default,
-- which serves where nobody names one. So far a person and a team had one of each entry.
drop index installations_one_personal;
drop index installations_one_team;
drop index installations_one_name;

alter table installations add column is_default boolean not null default false;
update installations i set is_default = true where not exists (
    select 1 from installations o
    where o.entry_id = i.entry_id and o.scope = i.scope
      and o.user_id is not distinct from i.user_id and o.team_id is not distinct from i.team_id
      and (o.created_at, o.id) < (i.created_at, i.id));

create unique index installations_one_name on installations (entry_id, user_id, team_id, lower(name))
    nulls not distinct;
create unique index installations_one_default on installations (entry_id, user_id, team_id)
    nulls not distinct where is_default;

-- Who installs for a team or the organisation now needs installation:share. Everybody installs for themselves, so in a
-- role installation:create gave nothing but that.
update roles set permissions = array_replace(permissions, 'installation:create', 'installation:share'),
    version = version + 1
where 'installation:create' = any(permissions);

-- Through which installation an entry's tools are found. Null: none is ready; the first that becomes so is taken.
alter table entries add column discovery_installation_id uuid references installations on delete set null;
update entries e set discovery_installation_id = (
    select i.id from installations i left join users u on u.id = i.user_id
    where i.entry_id = e.id and i.state = 'ready' and u.disabled_at is null
    order by case i.scope when 'organisation' then 0 when 'team' then 1 else 2 end, i.created_at, i.id limit 1);
create index entries_discovery on entries (discovery_installation_id) where discovery_installation_id is not null;
