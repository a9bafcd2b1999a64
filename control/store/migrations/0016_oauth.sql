-- The authorization server: clients, what people allowed them, and what may be used only once.

-- `client_id` is what the client calls itself: our identifier, or the URL of its own document. Clients that register by
-- themselves (`dynamic`) are known by what they sent, so that the same registration is the same client.
create table oauth_clients (
    id uuid primary key,
    client_id text not null unique,
    kind text not null check (kind in ('registered', 'dynamic', 'document')),
    name text not null,
    acts text not null default 'for_people' check (acts in ('for_people', 'by_itself')),
    team_id uuid references teams on delete cascade,
    redirect_uris text[] not null default '{}',
    auth_method text not null
        check (auth_method in ('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt')),
    refreshes boolean not null default true,
    jwks jsonb not null default '{}',
    jwks_uri text not null default '',
    secret_digest text check (length(secret_digest) = 64),
    content_digest text unique check (length(content_digest) = 64),
    created_by uuid references users on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    last_used_at timestamptz,
    disabled_at timestamptz,
    version int not null default 1,
    check (acts = 'by_itself' or team_id is null)
);
create index oauth_clients_unused on oauth_clients (created_at) where kind <> 'registered';

-- What one person allowed one client to do at one gateway, until somebody takes it back; without a person, what a client
-- does by itself. Access tokens name it (`gid`). It counts once its code was redeemed.
create table oauth_grants (
    id uuid primary key,
    client_id uuid not null references oauth_clients on delete cascade,
    user_id uuid references users on delete cascade,
    gateway_id uuid not null references gateways on delete cascade,
    scopes text[] not null,
    redirect_host text not null default '',
    created_at timestamptz not null default now(),
    redeemed_at timestamptz,
    last_used_at timestamptz,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_for text not null default '' check (revoked_for in ('', 'asked', 'code_reused', 'token_reused'))
);
create index oauth_grants_client on oauth_grants (client_id);
create index oauth_grants_user on oauth_grants (user_id);
create index oauth_grants_gateway on oauth_grants (gateway_id);
create unique index oauth_grants_by_itself on oauth_grants (client_id, gateway_id)
    where user_id is null and revoked_at is null;

-- A code is kept as its SHA-256, used or not, until it is too old to be tried again.
create table oauth_codes (
    digest text primary key check (length(digest) = 64),
    grant_id uuid not null references oauth_grants on delete cascade,
    redirect_uri text not null,
    challenge text not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
create index oauth_codes_grant on oauth_codes (grant_id);

-- The family of refresh tokens of one grant, in one row: no second token can live in it. A token is its number and a
-- code made of that, the salt and a key of control's; the row alone makes none.
create table oauth_refresh_tokens (
    grant_id uuid primary key references oauth_grants on delete cascade,
    salt bytea not null,
    living int not null default 1,
    replaced_at timestamptz[] not null default '{}',
    used_at timestamptz not null default now()
);

-- What a person was asked and has not answered; only in the browser session that it was asked in.
create table oauth_requests (
    id uuid primary key,
    session_id uuid not null,
    user_id uuid not null references users on delete cascade,
    client_id uuid not null references oauth_clients on delete cascade,
    gateway_id uuid not null references gateways on delete cascade,
    redirect_uri text not null,
    scopes text[] not null,
    state text not null,
    challenge text not null,
    expires_at timestamptz not null
);
create index oauth_requests_user on oauth_requests (user_id);

-- What a person agreed to before, so that the same is not asked again.
create table oauth_consents (
    user_id uuid not null references users on delete cascade,
    client_id uuid not null references oauth_clients on delete cascade,
    redirect_host text not null,
    gateway_id uuid not null references gateways on delete cascade,
    scopes text[] not null,
    at timestamptz not null default now(),
    primary key (user_id, client_id, redirect_host, gateway_id)
);

-- Assertions by which clients proved themselves, until they would not be taken any more.
create table oauth_assertions (
    digest text primary key check (length(digest) = 64),
    expires_at timestamptz not null
);

-- Slugs that gateways had before: a client that was given the old URL still means that gateway.
create table retired_slugs (
    slug text primary key,
    gateway_id uuid not null references gateways on delete cascade,
    retired_at timestamptz not null default now()
);

-- Clients that a gateway lets in, as their tokens name them; none: every client.
alter table gateways add column allowed_clients text[] not null default '{}';
