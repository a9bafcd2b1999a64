-- An OAuth client that calls for itself, a service account, owns installations too: it alone is served by them, before
-- those of its team and the organisation's. They go with the client, and their accounts with them (0021).
alter table installations add column oauth_client_id uuid references oauth_clients on delete cascade;
alter table installations drop constraint installations_scope_check;
alter table installations add constraint installations_scope_check
    check (scope in ('personal', 'team', 'organisation', 'service'));
alter table installations drop constraint installations_check;
alter table installations add constraint installations_check check (
    (scope = 'personal') = (user_id is not null) and (scope = 'team') = (team_id is not null)
    and (scope = 'service') = (oauth_client_id is not null));
create index installations_oauth_client on installations (oauth_client_id) where oauth_client_id is not null;

-- Each owner tells its installations of an entry apart by their names, and has one default.
drop index installations_one_name;
drop index installations_one_default;
create unique index installations_one_name
    on installations (entry_id, user_id, team_id, oauth_client_id, lower(name)) nulls not distinct;
create unique index installations_one_default
    on installations (entry_id, user_id, team_id, oauth_client_id) nulls not distinct where is_default;
