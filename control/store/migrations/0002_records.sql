-- Records of calls, in partitions by day (UTC) that are dropped whole when they are old enough.

create table records (
    id uuid not null,
    time timestamptz not null,
    principal text not null,
    token_id text not null,
    gateway_id text not null,
    tool text not null,
    entry_id text not null,
    installation_id text not null,
    decision text not null,
    status text not null,
    request_id text not null,
    duration_ms double precision not null,
    -- the whole record as `core.records.CallRecord` has it
    record jsonb not null,
    primary key (time, id)
) partition by range (time);
create index records_gateway on records (gateway_id, time desc);
create index records_principal on records (principal, time desc);
create index records_request on records (request_id);

-- One row a batch: a second arrival of the same batch inserts nothing, and a hole in the numbers is a gap.
create table record_batches (
    worker text not null,
    number bigint not null,
    records int not null,
    dropped int not null,
    first_time timestamptz,
    last_time timestamptz,
    received_at timestamptz not null default now(),
    primary key (worker, number)
);
create index record_batches_received on record_batches (received_at);
