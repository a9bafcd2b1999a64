-- Equal notes of an hour are one row that counts them. `same` is what they have in common; `source` is whose they are:
-- the person, or the network of a stranger, who alone is no reason to forget what others noted.
alter table sign_in_attempts
    -- what was asked for, in words of whoever asked; shown as data, never as ours
    add column asked text not null default '',
    add column times bigint not null default 1,
    add column first_at timestamptz not null default now(),
    add column same text not null default '',
    add column source text not null default '',
    add column known boolean not null default false;
create index sign_in_attempts_same on sign_in_attempts (same);

-- When a client first called its gateway by a grant; null before.
alter table oauth_grants add column called_at timestamptz;
