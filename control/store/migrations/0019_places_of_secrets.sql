-- Each secret of an installation is bound to the header that it was given for, beside the origin: to be sent in
-- another one it has to be given again. Written as control/credentials/places.py does.
alter table installations add column bound_places jsonb not null default '{}';

-- Where the secrets of these names go as their entry now is. Those that it does not ask for go nowhere.
create function places_of_secrets(of_entry uuid, names text[]) returns jsonb stable language sql as $$
    select coalesce(jsonb_object_agg(name, place), '{}') from (
        select f ->> 'name' as name, f ->> 'header' as place
        from entries e, jsonb_array_elements(e.fields) f
        where e.id = of_entry and f ->> 'type' = 'secret'
        union all
        select 'credential', case credential ->> 'style'
            when 'bearer' then 'authorization: Bearer'
            when 'authorization' then 'authorization'
            else credential ->> 'header' end
        from entries where id = of_entry and credential ->> 'kind' = 'static'
    ) asked where name = any(names)
$$;

-- Those that are kept stay as they are: what they were given for is what their entry says today.
update installations set bound_places = places_of_secrets(entry_id, secret_names) where secret_names <> '{}';

-- Control of the version before may still run beside this one. It fills installations in without a word on places, and
-- for what their entry is then. What control of this version writes is the same. A later migration drops all three.
-- Who only seals again what was given before raises no credential version, and so binds nothing to another place.
create function installations_places() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' or new.credential_version <> old.credential_version then
        new.bound_places = new.bound_places || places_of_secrets(new.entry_id, new.secret_names);
    end if;
    return new;
end $$;
create trigger installations_places before insert or update on installations
    for each row execute function installations_places();
