-- Lists are in the order of names, and go on behind a name and an identifier.
create index users_by_name on users ((lower(name) collate "C"), id);
create index teams_by_name on teams ((lower(name) collate "C"), id);
create index tokens_by_name on tokens ((lower(name) collate "C"), id);
create index entries_by_name on entries ((lower(name) collate "C"), id);
create index installations_by_name on installations ((lower(name) collate "C"), id);
create index gateways_by_name on gateways ((lower(name) collate "C"), id);
