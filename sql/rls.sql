-- Copyright (C) ngx_realtime contributors
--
-- Optional: policies by which Postgres itself keeps users apart, whatever the
-- module sends.  They need "realtime_database ... identify=on": without it
-- nobody sees anything.  To undo it, "alter table ... disable row level
-- security" for the four tables.
--
--   psql -d DATABASE -v ON_ERROR_STOP=1 -f sql/rls.sql
--
-- It may be run any number of times.  Policies do not bind the owner of the
-- tables: nginx has to be somebody else, as in roles.sql.

begin;

set local client_min_messages = warning;


-- who asks; nobody, and the module itself ("*"): NULL, which equals nobody

create or replace function realtime.me() returns uuid
language sql stable parallel safe as $$
    select nullif(nullif(current_setting('realtime.user', true), ''),
                  '*')::uuid
$$;

alter table realtime.conversations enable row level security;
alter table realtime.messages enable row level security;
alter table realtime.notifications enable row level security;
alter table realtime.jobs enable row level security;


drop policy if exists participants on realtime.conversations;

create policy participants on realtime.conversations
    using ((select realtime.me()) in (created_by, participant_id));

drop policy if exists creator on realtime.conversations;

create policy creator on realtime.conversations as restrictive for insert
    with check (created_by = (select realtime.me()));


-- a conversation that one cannot see is not there, by the policy above

drop policy if exists participants on realtime.messages;

create policy participants on realtime.messages
    using (exists (select from realtime.conversations c
                   where c.id = conversation_id));

drop policy if exists sender on realtime.messages;

create policy sender on realtime.messages as restrictive for insert
    with check (sender_id = (select realtime.me()));


-- a user's own; the module writes them, for whomever a back end names, and
-- looks at nothing but whether they are there

drop policy if exists owner on realtime.notifications;

create policy owner on realtime.notifications
    using (user_id = (select realtime.me()));

drop policy if exists module on realtime.notifications;

create policy module on realtime.notifications
    using ((select current_setting('realtime.user', true)) = '*');


-- nobody's but the module's

drop policy if exists module on realtime.jobs;

create policy module on realtime.jobs
    using ((select current_setting('realtime.user', true)) = '*');

commit;
