-- What an installation holds is bound to the whole URL of its server, not to the origin alone: one host may serve many
-- owners, each at a path. The origin stays beside it, for people, and for control of the version before.
alter table installations add column bound_url text not null default '';
-- Of an account whose place says its server's origin alone, as control of the version before writes it: the URL.
alter table accounts add column earlier_url text not null default '';
-- Renewals one after another that the server's own refusals asked for: each of them waits longer.
alter table accounts add column refusals int not null default 0;

-- The URL of an installation's server, written as control/registry/server_url.py does: answers in their places, else
-- defaults; a label of the host in lower case, a segment of the path encoded. Null where an answer is missing.
create function url_of_server(of_entry uuid, answers jsonb) returns text stable language plpgsql as $$
declare
    made text;
    asked jsonb;
    place text;
    answer jsonb;
    filled text;
begin
    select url, fields into made, asked from entries where id = of_entry;
    for place in select m[1] from regexp_matches(made, '\{([a-z][a-z0-9_]*)\}', 'g') m loop
        select coalesce(answers -> place, nullif(f -> 'default', 'null')) into answer
            from jsonb_array_elements(asked) f where f ->> 'name' = place;
        filled := case jsonb_typeof(answer) when 'number' then trim_scale((answer #>> '{}')::numeric)::text
            else answer #>> '{}' end;
        if made ~ ('^[a-z]+://[^/?]*\{' || place || '\}') then
            filled := lower(filled);
        else
            select string_agg(case when one ~ '^[A-Za-z0-9_.~-]$' then one
                else '%' || upper(lpad(to_hex(ascii(one)), 2, '0')) end, '' order by number) into filled
                from regexp_split_to_table(filled, '') with ordinality parts(one, number);
        end if;
        made := replace(made, '{' || place || '}', filled);
    end loop;
    return made;
end $$;

-- What was bound to the origin of its server's present URL is bound to that URL. What was given for another origin is
-- not used now, and nobody knows for which path there: it has to be given again.
update installations i set bound_url = url_of_server(i.entry_id, i.plain_values)
    where starts_with(url_of_server(i.entry_id, i.plain_values), i.bound_origin || '/');
update accounts a set earlier_url = url_of_server(i.entry_id, i.plain_values)
    from installations i where i.id = a.installation_id
    and starts_with(url_of_server(i.entry_id, i.plain_values), (a.place::jsonb ->> 'origin') || '/');

-- Control of the version before may still run beside this one, and says nothing of URLs. What it is given is for the
-- URL as it is then. A later migration drops both triggers, their functions and the one above.
create function installations_bound_url() returns trigger language plpgsql as $$
begin
    if (tg_op = 'INSERT' and new.bound_url = '')
        or (tg_op = 'UPDATE' and new.credential_version <> old.credential_version and new.bound_url = old.bound_url)
    then
        new.bound_url = coalesce(url_of_server(new.entry_id, new.plain_values), '');
    end if;
    return new;
end $$;
create trigger installations_bound_url before insert or update on installations
    for each row execute function installations_bound_url();

create function accounts_earlier_url() returns trigger language plpgsql as $$
begin
    if position('"url": "' in new.place) > 0 then
        new.earlier_url = '';
    elsif tg_op = 'INSERT' or new.created_at <> old.created_at then
        select coalesce(url_of_server(entry_id, plain_values), '') into new.earlier_url
            from installations where id = new.installation_id;
    end if;
    return new;
end $$;
create trigger accounts_earlier_url before insert or update on accounts
    for each row execute function accounts_earlier_url();
