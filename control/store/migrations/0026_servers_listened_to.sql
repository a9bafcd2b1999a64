-- What a server says of its lists: how often it said that its resources or its prompts are others now. They are kept
-- nowhere, so proxies tell their callers by this number alone. Tools are discovered again instead.
alter table entry_tools add column list_revision bigint not null default 0;

-- Which worker listens to the server of an installation, and until when that is so unless it asks again. One of nobody
-- ('') is a server that cannot be listened to, and is left alone until then.
create table watches (
    installation_id uuid primary key references installations on delete cascade,
    worker text not null,
    until timestamptz not null
);
