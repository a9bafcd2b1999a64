-- The identifier of a record is its request's, by which it is found (records_id); only a request that has another one
-- needs an entry of its own. With an index over all of them each record would be written once more for nothing.
create index records_other_request on records (request_id) where request_id <> id::text;
drop index records_request;
