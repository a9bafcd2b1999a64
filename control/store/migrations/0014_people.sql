-- How people sign in: passwords, links that are good once, browser sessions, devices that are known, and the last
-- attempts. Of every secret only its SHA-256 is kept, of a password its Argon2id hash.

create table passwords (
    user_id uuid primary key references users on delete cascade,
    hash text not null check (hash like '$argon2id$%'),
    changed_at timestamptz not null default now()
);

create table sign_in_links (
    id uuid primary key,
    digest text not null unique check (length(digest) = 64),
    user_id uuid not null references users on delete cascade,
    purpose text not null check (purpose in ('invitation', 'reset', 'sign_in')),
    created_by uuid references users on delete set null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
create index sign_in_links_user on sign_in_links (user_id);
create index sign_in_links_created_by on sign_in_links (created_by);

-- `csrf` goes into the forms of the session's pages: whoever reads it here has no session with it.
create table browser_sessions (
    id uuid primary key,
    digest text not null unique check (length(digest) = 64),
    user_id uuid not null references users on delete cascade,
    method text not null check (method in ('password', 'link', 'oidc')),
    -- the identity provider that vouched for the person; null for the other methods
    provider_id uuid,
    csrf text not null,
    address text not null default '',
    agent text not null default '',
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index browser_sessions_user on browser_sessions (user_id);
create index browser_sessions_expires on browser_sessions (expires_at);
create index browser_sessions_provider on browser_sessions (provider_id) where provider_id is not null;

-- A browser in which a person has signed in before: strangers' guesses at their password do not slow it down.
create table known_devices (
    digest text primary key check (length(digest) = 64),
    user_id uuid not null references users on delete cascade,
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now()
);
create index known_devices_user on known_devices (user_id);

-- What happened at the door, step by step; the newest alone are kept. `client` and `gateway` are names as they were
-- told, perhaps of nothing that exists.
create table sign_in_attempts (
    id uuid primary key,
    at timestamptz not null default now(),
    step text not null
        check (step in ('challenge', 'metadata', 'registered', 'authorised', 'token', 'first_call', 'signed_in')),
    client text not null default '',
    gateway text not null default '',
    user_id uuid references users on delete cascade,
    address text not null default '',
    -- why it failed, and what helps; both '' where it worked
    reason text not null default '',
    cure text not null default ''
);
create index sign_in_attempts_user on sign_in_attempts (user_id);
