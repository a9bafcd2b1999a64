-- People, tokens, the registry and its gateways. Identifiers are UUIDv7, made by the program.
-- `version` is the row's ETag: it rises with each write. `revision` of a gateway is what proxies compare.

create table users (
    id uuid primary key,
    name text not null,
    email text not null,
    role text not null check (role in ('admin', 'member')),
    disabled_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version int not null default 1
);
create unique index users_email on users (lower(email));

create table teams (
    id uuid primary key,
    name text not null,
    description text not null default '',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version int not null default 1
);
create unique index teams_name on teams (lower(name));

create table memberships (
    team_id uuid not null references teams on delete cascade,
    user_id uuid not null references users on delete cascade,
    role text not null check (role in ('admin', 'member')),
    created_at timestamptz not null default now(),
    primary key (team_id, user_id)
);
create index memberships_user on memberships (user_id);

-- A token is kept as its SHA-256 alone. Exactly one owner fits its kind.
create table tokens (
    id uuid primary key,
    digest text not null unique check (length(digest) = 64),
    name text not null,
    kind text not null check (kind in ('user', 'team', 'organisation')),
    user_id uuid references users on delete cascade,
    team_id uuid references teams on delete cascade,
    created_by uuid references users on delete set null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    version int not null default 1,
    check ((kind = 'user') = (user_id is not null) and (kind = 'team') = (team_id is not null))
);
create index tokens_user on tokens (user_id);
create index tokens_team on tokens (team_id);

create table entries (
    id uuid primary key,
    slug text not null unique,
    name text not null,
    description text not null default '',
    kind text not null check (kind in ('remote')),
    url text not null,
    docs_url text not null default '',
    labels jsonb not null default '{}',
    visibility text not null default 'organisation' check (visibility in ('organisation', 'teams')),
    credential_model text not null check (credential_model in ('none', 'static')),
    -- how a static credential is put in: {"style": "bearer" | "authorization" | "header", "header": "x-api-key"}
    credential_placement jsonb not null default '{}',
    -- install-time fields: [{"name", "title", "type", "required", "secret", "default", "header" ...}]
    fields jsonb not null default '[]',
    -- fixed headers may carry secrets: sealed JSON, bound to the entry's id
    fixed_headers bytea,
    fixed_header_names text[] not null default '{}',
    passthrough boolean not null default true,
    isolation text not null default 'principal' check (isolation in ('principal', 'client_session', 'shared')),
    deadline_s double precision not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version int not null default 1
);

create table entry_teams (
    entry_id uuid not null references entries on delete cascade,
    team_id uuid not null references teams on delete cascade,
    primary key (entry_id, team_id)
);

-- An entry keeps its own tool definitions, as last discovered through any installation.
create table entry_tools (
    id uuid primary key,
    entry_id uuid not null references entries on delete cascade,
    kind text not null check (kind in ('tool', 'resource')),
    -- the server's own name, or the URI where kind is 'resource'
    upstream_name text not null,
    -- what assignments are named after: the tool's name, or a name made from the resource's
    name text not null,
    definition jsonb not null,
    definition_sha256 text not null,
    state text not null default 'active' check (state in ('active', 'quarantined', 'held_back')),
    discovered_at timestamptz not null default now(),
    -- set when a later discovery no longer found it; assignments stay
    missing_since timestamptz,
    version int not null default 1,
    unique (entry_id, kind, upstream_name)
);

create table installations (
    id uuid primary key,
    entry_id uuid not null references entries on delete cascade,
    name text not null,
    scope text not null check (scope in ('personal', 'team', 'organisation')),
    user_id uuid references users on delete cascade,
    team_id uuid references teams on delete cascade,
    protocol text not null default 'auto' check (protocol in ('auto', 'legacy', '2026-07-28')),
    state text not null default 'new'
        check (state in ('new', 'ready', 'needs_sign_in', 'unreachable')),
    state_reason text not null default '',
    -- what discovery saw: {"era", "version", "server_name", "server_version", "capabilities"}
    server jsonb not null default '{}',
    -- answers to the entry's fields: plain ones as JSON, secret ones sealed, bound to the installation's id
    plain_values jsonb not null default '{}',
    secret_values bytea,
    secret_names text[] not null default '{}',
    -- the origin that the secret values were given for; resolve refuses any other
    bound_origin text not null,
    credential_version int not null default 1,
    created_by uuid references users on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    discovered_at timestamptz,
    version int not null default 1,
    check ((scope = 'personal') = (user_id is not null) and (scope = 'team') = (team_id is not null))
);
create index installations_entry on installations (entry_id);
create unique index installations_one_personal on installations (entry_id, user_id) where scope = 'personal';
create unique index installations_one_team on installations (entry_id, team_id) where scope = 'team';

create table gateways (
    id uuid primary key,
    slug text not null unique,
    name text not null,
    description text not null default '',
    instructions text not null default '',
    labels jsonb not null default '{}',
    visibility text not null default 'organisation' check (visibility in ('organisation', 'teams', 'personal')),
    owner_id uuid references users on delete cascade,
    header_allowlist text[] not null default '{}',
    audit_required boolean not null default false,
    revision bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version int not null default 1,
    check ((visibility = 'personal') = (owner_id is not null))
);

create table gateway_teams (
    gateway_id uuid not null references gateways on delete cascade,
    team_id uuid not null references teams on delete cascade,
    primary key (gateway_id, team_id)
);

create table assignments (
    id uuid primary key,
    gateway_id uuid not null references gateways on delete cascade,
    tool_id uuid not null references entry_tools on delete cascade,
    exposed_name text not null check (exposed_name ~ '^[A-Za-z0-9_-]{1,64}$'),
    -- pinned to an installation; null: resolved from the caller at call time
    installation_id uuid references installations on delete cascade,
    created_at timestamptz not null default now(),
    version int not null default 1,
    unique (gateway_id, exposed_name)
);
create index assignments_tool on assignments (tool_id);
create index assignments_installation on assignments (installation_id);

-- The index of gateways has one revision. Its row is locked by every transaction that touches a gateway, after the
-- gateways themselves, so that revisions rise in the order of commits.
create table publication (
    one boolean primary key default true check (one),
    index_revision bigint not null default 0
);
insert into publication default values;

-- What changed, written in the transaction that changed it. Publishers claim rows and delete what they published.
create table outbox (
    id bigint generated always as identity primary key,
    kind text not null,
    name text not null,
    revision bigint not null default 0,
    at timestamptz not null default now()
);

create function announce(kind text, name text, revision bigint default 0) returns void language sql as $$
    insert into outbox (kind, name, revision) values (kind, name, revision);
    select pg_notify('archway_outbox', '');
$$;

-- Raise the revisions of gateways, always in the order of their identifiers so that two writers cannot deadlock.
create function touch_gateways(ids uuid[]) returns void language plpgsql as $$
declare
    target record;
begin
    for target in select id from gateways where id = any(ids) order by id for update loop
        update gateways set revision = revision + 1 where id = target.id;
        perform announce('gateway', target.id::text, (select revision from gateways where id = target.id));
    end loop;
    update publication set index_revision = index_revision + 1;
end $$;

create table audit (
    id uuid primary key,
    at timestamptz not null default now(),
    actor_id uuid,
    actor text not null,
    address text not null default '',
    request_id text not null default '',
    action text not null,
    object_kind text not null,
    object_id text not null,
    before jsonb,
    after jsonb
);
create index audit_at on audit (at desc);
create index audit_object on audit (object_kind, object_id);
