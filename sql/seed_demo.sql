-- Copyright (C) ngx_realtime contributors
--
-- People and a conversation for the demo; after 001_chat.sql.  May be run
-- again: what exists stays as it is.

begin;

insert into public.users (id, name) values
    ('11111111-1111-4111-8111-111111111111', 'Alice'),
    ('22222222-2222-4222-8222-222222222222', 'Bob'),
    ('33333333-3333-4333-8333-333333333333', 'Carol'),
    ('44444444-4444-4444-8444-444444444444', 'Dave')
on conflict (id) do nothing;

insert into realtime.conversations
    (id, created_by, participant_id, title, created_at, updated_at)
values
    ('01900000-0000-7000-8000-000000000000',
     '11111111-1111-4111-8111-111111111111',
     '22222222-2222-4222-8222-222222222222',
     'Alice and Bob',
     '2024-06-10 02:35:18.4Z', '2024-06-10 02:35:18.403Z')
on conflict do nothing;

-- the milliseconds are those of the ids; where the two already talked in a
-- conversation of their own, the demo leaves it alone

insert into realtime.messages
    (id, conversation_id, sender_id, content, created_at)
select m.id::uuid, c.id, m.sender::uuid, m.content, m.created_at::timestamptz
from (values
    ('01900000-0001-7000-8000-000000000001',
     '11111111-1111-4111-8111-111111111111',
     'Hi Bob! Does this reach you?', '2024-06-10 02:35:18.401Z'),
    ('01900000-0002-7000-8000-000000000002',
     '22222222-2222-4222-8222-222222222222',
     'Loud and clear. It even survives <b>HTML</b> & "quotes".',
     '2024-06-10 02:35:18.402Z'),
    ('01900000-0003-7000-8000-000000000003',
     '11111111-1111-4111-8111-111111111111',
     'Then reload the page: the history is in Postgres.',
     '2024-06-10 02:35:18.403Z')
) as m (id, sender, content, created_at)
join realtime.conversations c
    on c.id = '01900000-0000-7000-8000-000000000000'
on conflict do nothing;

commit;
