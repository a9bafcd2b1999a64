-- What installations hold at the providers of their servers: tokens that people got by signing in there, and tokens
-- that clients got for themselves. Where they may go stands beside them and is bound into their seal.

-- The secret of a client that an admin registered at a provider by hand; sealed for the entry and its provider.
alter table entries add column client_secret bytea;

-- Clients that Archway registered itself (RFC 7591): one for each entry and issuer, never used at another issuer.
create table upstream_clients (
    id uuid primary key,
    entry_id uuid not null references entries on delete cascade,
    issuer text not null,
    redirect_uri text not null,
    client_id text not null,
    client_secret bytea,
    client_authentication text not null
        check (client_authentication in ('client_secret_basic', 'client_secret_post', 'none')),
    secret_expires_at timestamptz,
    created_at timestamptz not null default now(),
    constraint upstream_clients_one unique (entry_id, issuer)
);

create table accounts (
    installation_id uuid primary key references installations on delete cascade,
    -- what the entry said at that moment of where these tokens may go: they are used while it says the same
    place text not null,
    issuer text not null,
    token_endpoint text not null,
    revocation_endpoint text not null default '',
    resource text not null default '',
    client_id text not null,
    client_authentication text not null,
    upstream_client_id uuid references upstream_clients on delete set null,
    tokens bytea not null,
    expires_at timestamptz,
    -- when the background takes the next tokens; null: never by itself
    refresh_at timestamptz,
    scopes text[] not null default '{}',
    -- what its server said that it needs besides (403 insufficient_scope): asked for at the next sign-in
    wanted_scopes text[] not null default '{}',
    account_name text not null default '',
    subject text not null default '',
    -- rises with every new token, so that whoever refreshed writes only over what they read
    version bigint not null default 1,
    -- who refreshes just now, and until when nobody else does
    refresh_owner uuid,
    refresh_until timestamptz,
    -- the provider's last refusal of a refresh, in its own word, and since when it has not given tokens
    fault text not null default '',
    failing_since timestamptz,
    refused_at timestamptz,
    used_at timestamptz,
    refreshed_at timestamptz not null default now(),
    created_at timestamptz not null default now()
);
create index accounts_due on accounts (refresh_at) where refresh_at is not null and refused_at is null;
create index accounts_client on accounts (upstream_client_id) where upstream_client_id is not null;

-- Sign-ins at providers that were begun in a browser. A new installation is made only when its person has seen whose
-- account it is: until then its answers wait here, sealed, and so do the tokens.
create table account_sign_ins (
    id uuid primary key,
    state_digest text not null unique check (length(state_digest) = 64),
    user_id uuid not null references users on delete cascade,
    session_id uuid not null references browser_sessions on delete cascade,
    entry_id uuid not null references entries on delete cascade,
    -- null: a new one is wanted
    installation_id uuid references installations on delete cascade,
    begun bytea not null,
    -- null until the provider's answer has come; then the answer's state cannot come a second time
    returned_at timestamptz,
    tokens bytea,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index account_sign_ins_user on account_sign_ins (user_id);
create index account_sign_ins_session on account_sign_ins (session_id);
create index account_sign_ins_entry on account_sign_ins (entry_id);
create index account_sign_ins_installation on account_sign_ins (installation_id) where installation_id is not null;
create index account_sign_ins_expiry on account_sign_ins (expires_at);

-- Tokens that nobody uses any more and that their provider is still to be told of (RFC 7009).
create table account_revocations (
    id uuid primary key,
    entry_id uuid,
    revocation_endpoint text not null,
    told bytea not null,
    tries int not null default 0,
    next_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index account_revocations_due on account_revocations (next_at);
