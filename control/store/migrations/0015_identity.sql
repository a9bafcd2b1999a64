-- Identity providers: where people sign in, and whose own tokens gateways take. Each issuer stands here once, since a
-- person is known by issuer and subject. What was last seen of a provider (its endpoints, its keys) is in a row of its
-- own, which raises no version: nobody decided it.

create table identity_providers (
    id uuid primary key,
    slug text not null,
    name text not null,
    issuer text not null,
    enabled boolean not null default true,
    sign_in boolean not null default true,
    client_id text not null default '',
    client_secret bytea,
    client_authentication text not null default 'client_secret_basic'
        check (client_authentication in ('client_secret_basic', 'client_secret_post', 'none')),
    scopes text[] not null default '{openid,profile,email,offline_access}',
    authorize_parameters jsonb not null default '{}',
    audiences text[] not null default '{}',
    algorithms text[] not null default '{RS256,PS256,ES256,EdDSA}',
    email_claim text not null default 'email',
    name_claim text not null default 'name',
    teams_claim text not null default '',
    roles_claim text not null default '',
    assume_email_verified boolean not null default false,
    allowed_domains text[] not null default '{}',
    match_email boolean not null default true,
    create_people boolean not null default false,
    highest_role text not null default 'member' check (highest_role in ('admin', 'editor', 'member')),
    team_rules jsonb not null default '[]',
    role_rules jsonb not null default '[]',
    approved_hosts text[] not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version int not null default 1
);
create unique index identity_providers_slug on identity_providers (slug);
create unique index identity_providers_issuer on identity_providers (issuer);

create table identity_provider_states (
    provider_id uuid primary key references identity_providers on delete cascade,
    endpoints jsonb,
    discovered_at timestamptz,
    keys jsonb not null default '[]',
    skipped text[] not null default '{}',
    revision bigint not null default 0,
    fetched_at timestamptz,
    tried_at timestamptz,
    fault text not null default ''
);

-- Who somebody is at a provider. `tokens` is what the provider gave at their own sign-in, sealed.
create table identities (
    id uuid primary key,
    provider_id uuid not null references identity_providers on delete cascade,
    issuer text not null,
    subject text not null,
    user_id uuid not null references users on delete cascade,
    email text not null default '',
    role_given text check (role_given in ('admin', 'editor', 'member')),
    tokens bytea,
    signed_in_at timestamptz,
    checked_at timestamptz,
    check_tried_at timestamptz,
    fault text not null default '',
    gone_at timestamptz,
    created_at timestamptz not null default now(),
    constraint identities_subject unique (issuer, subject)
);
create index identities_user on identities (user_id);
create index identities_provider on identities (provider_id);
create index identities_due on identities (checked_at) where signed_in_at is not null and gone_at is null;

-- Memberships that a provider's claims gave, so that they go when the claim goes; those that people gave stay.
create table provided_memberships (
    team_id uuid not null,
    user_id uuid not null,
    provider_id uuid not null references identity_providers on delete cascade,
    primary key (team_id, user_id),
    foreign key (team_id, user_id) references memberships (team_id, user_id) on delete cascade
);
create index provided_memberships_user on provided_memberships (user_id);

-- Who was shut out because their provider no longer knows them is let in again by signing in there; whom an admin shut
-- out is not.
alter table users add column shut_out_by uuid references identity_providers on delete set null;

-- What came back from a provider once and must not come back twice; rows live as long as the cookie beside them.
create table used_states (
    digest text primary key check (length(digest) = 64),
    used_at timestamptz not null default now()
);
create index used_states_at on used_states (used_at);

-- A gateway names the provider whose tokens it takes, and what those must be for.
alter table gateways add column identity_provider_id uuid references identity_providers;
alter table gateways add column identity_provider_audience text not null default '';
alter table gateways add constraint gateways_identity_provider_audience
    check ((identity_provider_id is null) = (identity_provider_audience = ''));
create index gateways_identity_provider on gateways (identity_provider_id) where identity_provider_id is not null;
