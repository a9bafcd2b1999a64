-- Whose identity goes where: tokens that providers exchange, callers without an account, jobs, identity assertions.

alter table identity_providers add column exchange jsonb not null default '{}';
alter table identity_providers add column exchange_client_secret bytea;
alter table identity_providers add column admits_external boolean not null default false;
alter table identity_providers add column service_rules jsonb not null default '[]';

-- What the provider said of the person at their last sign-in, sealed, which they themselves are shown; when what it gave
-- ends for good, null where that can be refreshed; and who refreshes it just now, and until when nobody else does.
alter table identities add column claims bytea;
alter table identities add column tokens_version bigint not null default 1;
alter table identities add column tokens_end_at timestamptz;
alter table identities add column refresh_owner uuid;
alter table identities add column refresh_until timestamptz;
create index identities_tokens_end on identities (tokens_end_at) where tokens_end_at is not null;

-- Who calls with a provider's own token and has no account here. A row, so that an admin sees them and can shut one out.
create table external_principals (
    id uuid primary key,
    provider_id uuid not null references identity_providers on delete cascade,
    issuer text not null,
    subject text not null,
    name text not null default '',
    first_seen_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    disabled_at timestamptz,
    version int not null default 1,
    constraint external_principals_subject unique (issuer, subject)
);
create index external_principals_provider on external_principals (provider_id);

-- A gateway takes assertions of its identity provider in exchange for an access token of ours; such a grant says so,
-- and as whom the provider knows the person: with that it ends. An assertion counts once, as those of clients do
-- (oauth_assertions).
alter table gateways add column takes_assertions boolean not null default false;
alter table gateways drop constraint gateways_identity_provider_audience;
alter table gateways add constraint gateways_identity_provider_audience check (
    case when identity_provider_id is null then identity_provider_audience = '' and not takes_assertions
         else identity_provider_audience <> '' or takes_assertions end);
alter table oauth_grants add column by_assertion boolean not null default false;
alter table oauth_grants add column identity_id uuid references identities on delete set null;
create index oauth_grants_identity on oauth_grants (identity_id) where identity_id is not null;
create unique index oauth_grants_by_assertion on oauth_grants (client_id, user_id, gateway_id)
    where by_assertion and revoked_at is null;

-- What an entry's server is told of the caller, by Archway's word; null for nothing.
alter table entries add column caller_statement jsonb;
