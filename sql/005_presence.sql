-- Copyright (C) ngx_realtime contributors
--
-- When each user was seen last.
--
--   psql -d DATABASE -v ON_ERROR_STOP=1 -f sql/005_presence.sql
--
-- It may be run any number of times, after 001_chat.sql.

begin;

set local client_min_messages = warning;

do $$ begin
    perform pg_advisory_xact_lock(hashtext('realtime.schema_migrations'));
end $$;


-- Written when others are told that a user is offline: one worker writes for
-- all, many users in one statement, and a user who comes back soon is not
-- written at all.  No foreign key: see 001_chat.sql.

create table if not exists realtime.presence (
    user_id         uuid primary key,
    last_seen_at    timestamptz not null
);


insert into realtime.schema_migrations (version, name)
values (5, 'presence')
on conflict (version) do nothing;

commit;
