-- An entry may be a team's own, which its editors keep; null: the organisation's, as all were before. Where the team goes
-- it becomes the organisation's, seen by nobody until somebody who keeps the organisation's entries shows it.

alter table entries add column team_id uuid references teams on delete set null;
create index entries_team on entries (team_id) where team_id is not null;
