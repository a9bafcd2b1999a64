-- An entry keeps, beside its tools, that its server has resources and prompts: each is one row, which an admin assigns
-- to a gateway as a tool is. What there is of them is asked with the caller's own credential, and kept nowhere.
alter table entry_tools drop constraint entry_tools_kind_check;
alter table entry_tools add constraint entry_tools_kind_check
    check (kind in ('tool', 'resource', 'resources', 'prompts'));

-- What servers may ask of the callers of a gateway in the middle of a call.
alter table gateways add column may_ask text[] not null default '{elicitation}'
    check (may_ask <@ array['elicitation', 'sampling', 'roots']);

-- Whether every tool of a gateway is in its list, or two tools that find and run them.
alter table gateways add column tool_loading text not null default 'all'
    check (tool_loading in ('all', 'search_and_run'));
