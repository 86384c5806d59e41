-- Copyright (C) ngx_realtime contributors
--
-- Notifications: what a back end has to say to a user, until he has seen it.
--
--   psql -d DATABASE -v ON_ERROR_STOP=1 -f sql/006_notifications.sql
--
-- It may be run any number of times, after 001_chat.sql.

begin;

set local client_min_messages = warning;

do $$ begin
    perform pg_advisory_xact_lock(hashtext('realtime.schema_migrations'));
end $$;


-- One call to many users is one id: who reads, acknowledges or deletes it does
-- so for himself.  A call that is repeated finds its rows.  No foreign key
-- leads to the users: see 001_chat.sql.
--
-- data is json and not jsonb: what a back end wrote comes back as it was
-- written, numbers included.

create table if not exists realtime.notifications (
    user_id         uuid not null,
    id              uuid not null,
    type            text not null,
    title           text not null,
    message         text not null,
    data            json,
    read_at         timestamptz,
    acknowledged_at timestamptz,
    expires_at      timestamptz,
    created_at      timestamptz not null
                    default date_trunc('milliseconds', now()),

    primary key (user_id, id),

    constraint notifications_type
        check (type ~ '^[a-z0-9_.-]{1,50}$'),
    constraint notifications_title
        check (char_length(title) between 1 and 200),
    constraint notifications_message
        check (char_length(message) between 1 and 4000),
    constraint notifications_data
        check (octet_length(data::text) <= 16384)
);

-- newest first; and of these the ones that are unread

create index if not exists notifications_newest
    on realtime.notifications (user_id, created_at, id);
create index if not exists notifications_unread
    on realtime.notifications (user_id, created_at, id)
    where read_at is null;

-- for whoever deletes what has expired

create index if not exists notifications_expired
    on realtime.notifications (expires_at)
    where expires_at is not null;


insert into realtime.schema_migrations (version, name)
values (6, 'notifications')
on conflict (version) do nothing;

commit;
