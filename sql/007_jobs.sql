-- Copyright (C) ngx_realtime contributors
--
-- Jobs: what is to be delivered later, to everybody, or when a transaction of
-- the host application has committed.
--
--   psql -d DATABASE -v ON_ERROR_STOP=1 -f sql/007_jobs.sql
--
-- It may be run any number of times, after 006_notifications.sql.

begin;

set local client_min_messages = warning;

do $$ begin
    perform pg_advisory_xact_lock(hashtext('realtime.schema_migrations'));
end $$;


-- kind: "notify" is for users, "broadcast" for everybody in steps, "emit" is an
-- event for the sockets of a user.  The id of the first two is that of their
-- notification, so a call that is repeated is the same job.
--
-- A worker that takes a job has it until lease_until: then it is anybody's
-- again, and what it has done already is not done twice.  last_id is how far a
-- broadcast has come.  data is apart because Postgres must not look into it: as
-- in 006_notifications.sql, it comes back as it was written.

create table if not exists realtime.jobs (
    id              uuid primary key,
    seq             bigint generated always as identity,
    kind            text not null,
    users           uuid[],
    payload         json,
    data            json,
    expires_at      timestamptz,
    last_id         uuid,
    done            integer not null default 0,
    total           integer,
    attempts        integer not null default 0,
    run_at          timestamptz not null default now(),
    lease_until     timestamptz,
    created_at      timestamptz not null default now(),
    finished_at     timestamptz,
    error           text,

    constraint jobs_kind check (kind in ('notify', 'broadcast', 'emit'))
);

create index if not exists jobs_due
    on realtime.jobs (run_at, seq)
    where finished_at is null;

create index if not exists jobs_finished
    on realtime.jobs (finished_at)
    where finished_at is not null;


-- Whoever listens looks for jobs; who misses it looks every few seconds.

create or replace function realtime.jobs_wake() returns trigger
language plpgsql as $$
begin
    perform pg_notify('realtime_jobs', '');
    return null;
end $$;

drop trigger if exists jobs_wake on realtime.jobs;

create trigger jobs_wake after insert on realtime.jobs
    for each statement execute function realtime.jobs_wake();


-- What an application calls in its own transaction: it is delivered after the
-- commit, and never after a rollback.  It runs with the rights of the owner, so
-- that nothing but the function is to be granted.

create or replace function realtime.notify_user(user_id uuid, type text,
    title text, message text, data jsonb default null,
    id uuid default null, deliver_at timestamptz default null,
    expires_at timestamptz default null, volatile boolean default false)
returns uuid language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
    note uuid := coalesce(notify_user.id, gen_random_uuid());
    due timestamptz := coalesce(deliver_at, now());
begin
    if notify_user.user_id is null then
        raise 'user_id is missing' using errcode = '22023';
    end if;

    if coalesce(notify_user.type, '') !~ '^[a-z0-9_.-]{1,50}$' then
        raise 'type must be 1 to 50 of a-z, 0-9, _, . and -'
            using errcode = '22023';
    end if;

    if title is null or char_length(title) not between 1 and 200 then
        raise 'title must have 1 to 200 characters' using errcode = '22023';
    end if;

    if message is null or char_length(message) not between 1 and 4000 then
        raise 'message must have 1 to 4000 characters'
            using errcode = '22023';
    end if;

    if data is not null and jsonb_typeof(data) <> 'object' then
        raise 'data must be an object' using errcode = '22023';
    end if;

    if octet_length(data::text) > 16384 then
        raise 'data is longer than 16384 bytes' using errcode = '22023';
    end if;

    if not isfinite(due) then
        raise 'deliver_at must be a time' using errcode = '22023';
    end if;

    if notify_user.expires_at is not null
       and (not isfinite(notify_user.expires_at)
            or notify_user.expires_at <= greatest(due, now()))
    then
        raise 'expires_at must be in the future, and after deliver_at'
            using errcode = '22023';
    end if;

    insert into realtime.jobs (id, kind, users, payload, data, expires_at,
                               run_at, total)
    values (note, 'notify', array[notify_user.user_id],
            json_build_object('type', notify_user.type, 'title', title,
                              'message', message,
                              'volatile', coalesce(volatile, false)),
            notify_user.data::json, notify_user.expires_at, due, 1)
    on conflict on constraint jobs_pkey do nothing;

    return note;
end $$;


create or replace function realtime.emit(room text, event text,
    payload jsonb default null, deliver_at timestamptz default null,
    volatile boolean default false)
returns void language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
    due timestamptz := coalesce(deliver_at, now());
begin
    if room is null or room !~ '^user:[^[:cntrl:]]+$' or room ~ ',/'
       or octet_length(room) > 133
    then
        raise 'there is no such kind of room: write user:<id>'
            using errcode = '22023';
    end if;

    if coalesce(octet_length(event), 0) not between 1 and 128
       or event in ('connect', 'connect_error', 'disconnect',
                    'disconnecting', 'newListener', 'removeListener')
    then
        raise 'event must have 1 to 128 bytes, and not be a reserved name'
            using errcode = '22023';
    end if;

    if octet_length(emit.payload::text) > 262144 then
        raise 'payload is longer than 262144 bytes' using errcode = '22023';
    end if;

    if not isfinite(due) then
        raise 'deliver_at must be a time' using errcode = '22023';
    end if;

    insert into realtime.jobs (id, kind, payload, run_at)
    values (gen_random_uuid(), 'emit',
            json_build_object('user', substr(room, 6), 'event', event,
                              'payload', emit.payload,
                              'volatile', coalesce(volatile, false)),
            due);
end $$;

revoke all on function realtime.notify_user from public;
revoke all on function realtime.emit from public;


insert into realtime.schema_migrations (version, name)
values (7, 'jobs')
on conflict (version) do nothing;

commit;
