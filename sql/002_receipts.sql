-- Copyright (C) ngx_realtime contributors
--
-- What has been read, and messages that came by both doors.
--
--   psql -d DATABASE -v ON_ERROR_STOP=1 -f sql/002_receipts.sql
--
-- It may be run any number of times, after 001_chat.sql.

begin;

set local client_min_messages = warning;

do $$ begin
    perform pg_advisory_xact_lock(hashtext('realtime.schema_migrations'));
end $$;


-- "everything up to this one is read" goes through it in the order of the
-- ids, which is the order in which everybody locks rows

create index if not exists messages_unread_id
    on realtime.messages (conversation_id, sender_id, id)
    where read_at is null;

drop index if exists realtime.messages_unread;


-- door: how a message without a client id came, 1 by the socket's event
-- "message", 2 by POST; claimed_by: the id that the call by the other door
-- had made, when it turned out to be the same message.

alter table realtime.messages add column if not exists door smallint;
alter table realtime.messages add column if not exists claimed_by uuid;


-- The message that this call and one by the other door have both sent, and
-- which is this call's now; or the call's own, when it asks a second time.
--
-- The two calls may be under way at once, in two workers.  So the second one
-- waits for the first to commit; and because each query of a volatile function
-- sees what was committed when it began, it finds the row then.
--
-- Rows are compared as a whole, so that the index of the conversation is used
-- and not that of the ids, where the last seconds of everybody are.

create or replace function realtime.twin(_conversation uuid, _sender uuid,
    _message uuid, _content text, _door smallint, _since uuid)
returns setof realtime.messages language plpgsql volatile as $$
begin
    perform pg_advisory_xact_lock(
                hashtextextended('realtime.twin ' || _conversation, 0));

    return query
    select * from realtime.messages m
    where (m.conversation_id, m.id) >= (_conversation, _since)
        and m.conversation_id = _conversation
        and (m.id = _message or m.claimed_by = _message);

    if found then
        return;
    end if;

    return query
    update realtime.messages m set claimed_by = _message
    where m.id = (
        select t.id from realtime.messages t
        where (t.conversation_id, t.id) >= (_conversation, _since)
            and t.conversation_id = _conversation
            and t.sender_id = _sender and t.content = _content
            and t.door = 3 - _door and t.claimed_by is null
        order by t.id limit 1)
    returning m.*;
end $$;

revoke all on function realtime.twin from public;


insert into realtime.schema_migrations (version, name)
values (2, 'receipts')
on conflict (version) do nothing;

commit;
