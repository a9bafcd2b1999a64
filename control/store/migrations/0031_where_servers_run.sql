-- What an environment says of the servers in it: where they run, what they may reach and use, and how many there may be.
create table egress_presets (
    id uuid primary key,
    name text not null,
    description text not null default '',
    cidrs text[] not null default '{}',
    domains text[] not null default '{}',
    ports text[] not null default '{443}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version int not null default 1
);
create unique index egress_presets_name on egress_presets (lower(name));

alter table environments
    add column namespace text not null default '',
    add column egress jsonb,
    add column node_selector jsonb not null default '{}',
    add column tolerations jsonb not null default '[]',
    add column resources jsonb,
    add column image_registries text[] not null default '{}',
    add column quota jsonb not null default '{}';

create table environment_presets (
    environment_id uuid not null references environments on delete cascade,
    preset_id uuid not null references egress_presets,
    primary key (environment_id, preset_id)
);
create index environment_presets_preset on environment_presets (preset_id);

create trigger servers_of_presets after update on egress_presets
    for each row execute function tell_of_servers();

-- The environments that a gateway serves; a gateway without rows serves all.
create table gateway_environments (
    gateway_id uuid not null references gateways on delete cascade,
    environment_id uuid not null references environments,
    primary key (gateway_id, environment_id)
);
create index gateway_environments_environment on gateway_environments (environment_id);

-- What the cluster can do, as whoever leads found it; one row for the deployment.
create table cluster_capabilities (
    only_one boolean primary key default true check (only_one),
    found jsonb not null,
    found_at timestamptz not null default now()
);

-- Whether what an environment forbids is forbidden in truth, for each kind of rule, as the latest probe saw it.
create table egress_enforcement (
    environment_id uuid not null references environments on delete cascade,
    kind text not null,
    state text not null check (state in ('enforced', 'not_enforced', 'unknown')),
    reason text not null default '',
    provider text not null default '',
    probed_of text not null default '', -- a digest of all that, when it changes, is reason for another probe
    probed_at timestamptz not null default now(),
    primary key (environment_id, kind)
);

-- How long nobody has called a server that is ended when it is idle: see control/registry/idleness.py.
create table idle_servers (
    installation_id uuid primary key references installations on delete cascade,
    used_at timestamptz not null default now(),
    dozes_since timestamptz,
    asleep_since timestamptz,
    wakes integer not null default 0
);
create trigger servers_that_sleep after update of asleep_since on idle_servers
    for each row when (old.asleep_since is distinct from new.asleep_since) execute function tell_of_servers_account();

-- Installations that were unreachable when what they are held to changed: their servers are asked once more.
create table asked_again (
    installation_id uuid primary key references installations on delete cascade,
    since timestamptz not null default now()
);
