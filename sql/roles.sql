-- Copyright (C) ngx_realtime contributors
--
-- The role that nginx connects as, and the rights that it needs: no more than
-- the statements of the module use.
--
--   psql -d DATABASE -v ON_ERROR_STOP=1 -v role=chat -f sql/roles.sql
--
-- After the numbered files, by their owner, and again after each new one.  With
-- another table of users than public.users (id), as in realtime_users, add
-- -v users=app.people -v users_id=uuid.  The role is made if it is missing,
-- without a password.

\if :{?role}
\else
    \set role chat
\endif

\if :{?users}
\else
    \set users public.users
\endif

\if :{?users_id}
\else
    \set users_id id
\endif

select format('create role %I login', :'role')
where not exists (select from pg_roles where rolname = :'role') \gexec

begin;

revoke all on all tables in schema realtime from :"role";
revoke all on all functions in schema realtime from :"role";

grant usage on schema realtime to :"role";

grant select on realtime.schema_migrations to :"role";

grant select, insert, delete, update (updated_at)
    on realtime.conversations to :"role";

grant select, insert, delete, update (read_at, delivered_at, claimed_by)
    on realtime.messages to :"role";

grant select, insert, update (last_seen_at)
    on realtime.presence to :"role";

grant select, insert, delete, update (read_at, acknowledged_at)
    on realtime.notifications to :"role";

grant select, insert, delete,
    update (users, payload, data, last_id, done, total, attempts, run_at,
            lease_until, finished_at, error)
    on realtime.jobs to :"role";

grant execute on function realtime.twin to :"role";

grant select (:"users_id") on :users to :"role";

commit;
