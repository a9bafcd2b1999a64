-- A person's sign-in at the provider of a server is a step of signing in like any other: noted, with what helps.
alter table sign_in_attempts drop constraint sign_in_attempts_step_check;
alter table sign_in_attempts add constraint sign_in_attempts_step_check check (step in
    ('challenge', 'metadata', 'registered', 'authorised', 'token', 'first_call', 'signed_in', 'connected'));

-- Tokens of a client that an installation brought are given back too: its secret is among the secrets of the
-- installation, and stays sealed for that.
alter table account_revocations
    add column client_of text not null default 'entry' check (client_of in ('entry', 'installation'));

-- Whether an account of client credentials came for what its entry and its installation are now: only then is the
-- secret that the installation holds today shown to the account's provider, and a key is never sent as a secret. Written
-- as control/credentials/places.py and control/credentials/kinds/client_credentials.py do.
create function is_still_of_its_client(a accounts, i installations, e entries) returns boolean language sql stable as $$
    select e.credential ->> 'kind' = 'client_credentials'
        and i.plain_values ->> 'client_id' = a.client_id
        and a.client_authentication = coalesce(nullif(e.credential ->> 'client_authentication', ''), 'client_secret_basic')
        and i.bound_url <> '' and coalesce(a.place::jsonb ->> 'url', a.earlier_url) = i.bound_url
        and a.place::jsonb ->> 'issuer' = coalesce(e.credential ->> 'issuer', '')
        and a.place::jsonb ->> 'token_endpoint' = coalesce(e.credential ->> 'token_endpoint', '')
        and i.bound_places ->> 'credential' = concat_ws(' ',
            coalesce(nullif(e.credential ->> 'client_authentication', ''), 'client_secret_basic'), 'at',
            nullif(e.credential ->> 'issuer', ''), nullif(e.credential ->> 'token_endpoint', ''))
$$;

create or replace function account_goes() returns trigger language plpgsql as $$
begin
    insert into account_revocations (installation_id, entry_id, place, issuer, token_endpoint, revocation_endpoint,
        resource, client_id, client_authentication, upstream_client_id, client_secret, tokens, client_of)
    select old.installation_id, e.id, old.place, old.issuer, old.token_endpoint, old.revocation_endpoint,
        old.resource, old.client_id, old.client_authentication, old.upstream_client_id,
        case when e.credential ->> 'kind' = 'client_credentials' then i.secret_values
             when old.upstream_client_id is null then e.client_secret else c.client_secret end, old.tokens,
        case e.credential ->> 'kind' when 'client_credentials' then 'installation' else 'entry' end
    from installations i join entries e on e.id = i.entry_id
    left join upstream_clients c on c.id = old.upstream_client_id
    where i.id = old.installation_id and old.revocation_endpoint <> ''
        and (e.credential ->> 'kind' = 'oauth' or (tg_op = 'DELETE' and is_still_of_its_client(old, i, e)))
        and not account_held_elsewhere(old.issuer, old.client_id, old.subject, old.account_name, old.installation_id);
    return case when tg_op = 'DELETE' then old else new end;
end $$;
