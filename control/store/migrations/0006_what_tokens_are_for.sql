-- A token is for calling gateways or for the admin API, not for both. Those that exist become tokens for gateways, since
-- those are what stands in clients' files: whoever used one for the admin API makes an API token.

alter table tokens
    add column use text not null default 'gateways' check (use in ('gateways', 'api')),
    add check (use = 'gateways' or kind = 'user');
create index tokens_created_by on tokens (created_by);
