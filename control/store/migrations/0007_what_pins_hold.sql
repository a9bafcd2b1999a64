-- Which fields of a definition its hash is made of (PIN in control/registry/tool_definitions.py). Rows from before have
-- the first; the next discovery compares them by it, so that no tool is taken for changed because more is hashed.
alter table entry_tools add column pin smallint not null default 1;
