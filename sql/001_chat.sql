-- Copyright (C) ngx_realtime contributors
--
-- Conversations of two, and their messages.
--
--   psql -d DATABASE -v ON_ERROR_STOP=1 -f sql/001_chat.sql
--
-- It may be run any number of times, also by two people at once: everything
-- is made only where it is missing, in one transaction.

begin;

set local client_min_messages = warning;

do $$ begin
    perform pg_advisory_xact_lock(hashtext('realtime.schema_migrations'));
end $$;

create schema if not exists realtime;

create table if not exists realtime.schema_migrations (
    version         int primary key,
    name            text not null,
    applied_at      timestamptz not null default now()
);


-- A host application brings its own users, here or under a name that
-- realtime_users tells the module: this table is for those who have none.

create table if not exists public.users (
    id              uuid primary key,
    name            text not null default '',
    created_at      timestamptz not null default now()
);


-- No foreign key leads to the users: their table may be another one, a view
-- or a partition, belong to another role, and delete rows for reasons that
-- must neither be blocked by chat nor take the other person's history along.
-- A participant is looked up once, when a conversation is made.

create table if not exists realtime.conversations (
    id              uuid primary key,
    created_by      uuid not null,
    participant_id  uuid not null,
    title           text not null,
    created_at      timestamptz not null
                    default date_trunc('milliseconds', now()),
    updated_at      timestamptz not null
                    default date_trunc('milliseconds', now()),

    constraint conversations_two_people
        check (created_by <> participant_id),
    constraint conversations_title
        check (char_length(title) between 1 and 200)
);

-- one conversation for two people, whoever began it

create unique index if not exists conversations_pair
    on realtime.conversations (least(created_by, participant_id),
                               greatest(created_by, participant_id));

-- "my conversations, newest first" reads one of these for each side

create index if not exists conversations_created_by
    on realtime.conversations (created_by, updated_at, id);
create index if not exists conversations_participant_id
    on realtime.conversations (participant_id, updated_at, id);


-- The id is a UUID of version 7 that the module made, created_at the
-- millisecond inside it: id order is the order of sending, and one index
-- pages through a conversation.  The last message of a conversation is the
-- end of that index; a copy of it in the conversation would make every send
-- wait for the commit of the one before.

create table if not exists realtime.messages (
    id              uuid primary key,
    conversation_id uuid not null
                    references realtime.conversations (id) on delete cascade,
    sender_id       uuid not null,
    content         text not null,
    client_id       text,
    read_at         timestamptz,
    delivered_at    timestamptz,
    created_at      timestamptz not null
                    default date_trunc('milliseconds', now()),

    constraint messages_content
        check (char_length(content) between 1 and 10000),
    constraint messages_client_id
        check (char_length(client_id) between 1 and 128)
);

create index if not exists messages_conversation
    on realtime.messages (conversation_id, id);

-- a retry finds the message that was stored, for ever

create unique index if not exists messages_client_id
    on realtime.messages (sender_id, client_id)
    where client_id is not null;

create index if not exists messages_unread
    on realtime.messages (conversation_id, sender_id)
    where read_at is null;


insert into realtime.schema_migrations (version, name)
values (1, 'chat')
on conflict (version) do nothing;

commit;
