-- A server that refuses the credential is not one that cannot be reached.
alter table installations drop constraint installations_state_check;
alter table installations add constraint installations_state_check
    check (state in ('new', 'ready', 'needs_sign_in', 'credential_refused', 'unreachable'));

-- Of a tool that changed: the definition that somebody knows, until they have looked at the new one.
alter table entry_tools add column known_definition jsonb;
alter table entry_tools add column known_sha256 text;
alter table entry_tools add column changed_at timestamptz;

-- What the latest discovery through any installation found: {"at", "by", "installation", "tools", "added", "changed",
-- "gone", "rejected", "notes"}
alter table entries add column discovery jsonb not null default '{}';
