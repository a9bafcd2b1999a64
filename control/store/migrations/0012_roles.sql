-- The role editor, in the organisation and in a team. Roles that admins make: sets of permissions, each held for the
-- whole organisation (no team) or for one team, and then for as long as its holder is in that team.

alter table users
    drop constraint users_role_check,
    add constraint users_role_check check (role in ('admin', 'editor', 'member'));
alter table memberships
    drop constraint memberships_role_check,
    add constraint memberships_role_check check (role in ('admin', 'editor', 'member'));

create table roles (
    id uuid primary key,
    name text not null,
    description text not null default '',
    permissions text[] not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version int not null default 1
);
create unique index roles_name on roles (lower(name));

create table role_holders (
    role_id uuid not null references roles on delete cascade,
    user_id uuid not null references users on delete cascade,
    team_id uuid,
    created_at timestamptz not null default now(),
    constraint role_holders_once unique nulls not distinct (role_id, user_id, team_id),
    constraint role_holders_membership foreign key (team_id, user_id)
        references memberships (team_id, user_id) on delete cascade
);
create index role_holders_user on role_holders (user_id);
