-- An entry's credential is one JSON object: its kind, with the settings of that kind. The schema lists no kinds: what
-- there is stands in control/registry/credential.py.
alter table entries add column credential jsonb;
update entries set credential = credential_placement || jsonb_build_object('kind', credential_model);
alter table entries alter column credential set not null;
alter table entries add check (jsonb_typeof(credential -> 'kind') = 'string');

-- Control of the version before may still run beside this one, or be started again: it reads and writes the two
-- columns that `credential` takes the place of. Whichever side is written, the other follows. A kind that the version
-- before does not know is told to it as 'none'. The migration after this one drops the trigger and both columns.
alter table entries alter column credential_model set default 'none';
create function entries_credential() returns trigger language plpgsql as $$
begin
    if new.credential is null or (tg_op = 'UPDATE' and new.credential = old.credential and
        (new.credential_model, new.credential_placement) is distinct from
            (old.credential_model, old.credential_placement)) then
        new.credential = new.credential_placement || jsonb_build_object('kind', new.credential_model);
    elsif new.credential ->> 'kind' = 'static' then
        new.credential_model = 'static';
        new.credential_placement = new.credential - 'kind';
    else
        new.credential_model = 'none';
        new.credential_placement = '{}';
    end if;
    return new;
end $$;
create trigger entries_credential before insert or update on entries
    for each row execute function entries_credential();
