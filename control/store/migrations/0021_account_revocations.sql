-- Tokens that nobody uses any more, for their provider to be told (RFC 7009). Whatever deletes an account queues its
-- tokens: an installation, an entry, a person or a team that goes takes accounts along by the schema alone. They stay
-- sealed for the account that they were of; the secret of the client stays sealed beside them, since its own row may be
-- gone by then.
drop table account_revocations;
create table account_revocations (
    id uuid primary key default gen_random_uuid(),
    installation_id uuid not null,
    entry_id uuid not null,
    place text not null,
    issuer text not null,
    token_endpoint text not null,
    revocation_endpoint text not null check (revocation_endpoint <> ''),
    resource text not null,
    client_id text not null,
    client_authentication text not null,
    -- what the secret is sealed for; null: for the entry
    upstream_client_id uuid,
    client_secret bytea,
    tokens bytea not null,
    tries int not null default 0,
    next_at timestamptz not null default now(),
    expires_at timestamptz not null default now() + interval '1 day'
);
create index account_revocations_due on account_revocations (next_at);

-- Many providers end all that a person gave to a client when one token of it is revoked: where another installation
-- has the same account there, nothing is revoked.
create function account_held_elsewhere(wanted_issuer text, wanted_client text, wanted_subject text, wanted_name text,
    apart uuid) returns boolean language sql stable as $$
    select exists (
        select 1 from accounts a
        where a.installation_id <> apart and a.issuer = wanted_issuer and a.client_id = wanted_client
            and a.refused_at is null
            and (case when wanted_subject <> '' and a.subject <> '' then a.subject = wanted_subject
                 else wanted_name <> '' and a.account_name = wanted_name end))
$$;

create function account_goes() returns trigger language plpgsql as $$
begin
    insert into account_revocations (installation_id, entry_id, place, issuer, token_endpoint, revocation_endpoint,
        resource, client_id, client_authentication, upstream_client_id, client_secret, tokens)
    select old.installation_id, e.id, old.place, old.issuer, old.token_endpoint, old.revocation_endpoint,
        old.resource, old.client_id, old.client_authentication, old.upstream_client_id,
        case when old.upstream_client_id is null then e.client_secret else c.client_secret end, old.tokens
    from installations i join entries e on e.id = i.entry_id
    left join upstream_clients c on c.id = old.upstream_client_id
    where i.id = old.installation_id and e.credential ->> 'kind' = 'oauth' and old.revocation_endpoint <> ''
        and not account_held_elsewhere(old.issuer, old.client_id, old.subject, old.account_name, old.installation_id);
    return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger accounts_deleted before delete on accounts for each row execute function account_goes();

-- Another account in the place of this one. A new sign-in to the same one revokes nothing: many providers end all that
-- a person gave to a client when one token of it is revoked, the new one among it.
create trigger accounts_replaced before update on accounts for each row
    when (old.created_at <> new.created_at and (
        (old.issuer, old.client_id) is distinct from (new.issuer, new.client_id)
        or (old.subject <> '' and new.subject <> '' and old.subject <> new.subject)
        or ((old.subject = '' or new.subject = '') and old.account_name <> '' and new.account_name <> ''
            and old.account_name <> new.account_name)))
    execute function account_goes();

-- Accounts go before the row that they belong to, so that the rows which say where their tokens are revoked are there.
create function accounts_first() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'entries' then
        delete from accounts a using installations i where i.id = a.installation_id and i.entry_id = old.id;
    else
        delete from accounts where installation_id = old.id;
    end if;
    return old;
end $$;
create trigger entries_accounts_first before delete on entries for each row execute function accounts_first();
create trigger installations_accounts_first before delete on installations
    for each row execute function accounts_first();

-- A client of the address that people came back to before stays: accounts that it got are still refreshed by it.
alter table upstream_clients drop constraint upstream_clients_one;
alter table upstream_clients add constraint upstream_clients_one unique (entry_id, issuer, redirect_uri);
alter table upstream_clients drop constraint upstream_clients_client_authentication_check;
