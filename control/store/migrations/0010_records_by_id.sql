-- One record is looked up by its identifier, which is its request's.
create index records_id on records (id);
