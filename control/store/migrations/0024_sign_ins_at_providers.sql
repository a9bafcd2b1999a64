-- A person's sign-in at the provider of a server is a step of signing in like any other: noted, with what helps.
alter table sign_in_attempts drop constraint sign_in_attempts_step_check;
alter table sign_in_attempts add constraint sign_in_attempts_step_check check (step in
    ('challenge', 'metadata', 'registered', 'authorised', 'token', 'first_call', 'signed_in', 'connected'));
