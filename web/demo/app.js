'use strict';

/*
 * The demo: one conversation, as ?user=alice or ?user=bob.  History comes by
 * REST, new messages by Socket.IO, both with the same token.  What people
 * write reaches the page as text nodes only.
 */

const $ = (id) => document.getElementById(id);

const page = {
  me: null,
  other: null,
  conversation: null,
  socket: null,
  before: null,           // id to read earlier messages from
  shown: new Map(),       // message id or client id -> <li>
};


async function api(method, path, body) {
  const reply = await fetch('/api/chat/' + path, {
    method,
    headers: {
      Authorization: 'Bearer ' + page.me.token,
      ...(body && { 'Content-Type': 'application/json' }),
    },
    body: body && JSON.stringify(body),
  });
  const answer = await reply.json();

  if (answer.status !== 'success') {
    throw new Error(answer.message);
  }

  return answer;
}


/* -- messages on the page */

function bubble(message) {
  const li = document.createElement('li');
  const text = document.createElement('span');
  const note = document.createElement('small');

  if (message.senderId === page.me.id) {
    li.className = 'mine';
  }

  text.textContent = message.content;
  li.append(text, note);
  stamp(li, message);

  return li;
}


function stamp(li, message) {
  const who = message.senderId === page.me.id ? 'You' : page.other.name;
  const time = new Date(message.timestamp).toLocaleString([], {
    dateStyle: 'short',
    timeStyle: 'short',
  });

  li.lastChild.textContent = `${who}, ${time}`;
  li.dataset.id = message.id ?? '';
}


/* REST rows and socket events name the same things differently */

function fromRow(row) {
  return {
    id: row.id,
    clientId: row.client_id,
    senderId: row.sender_id,
    content: row.content,
    timestamp: row.created_at,
  };
}


/*
 * A message may come as the ack, as an event and in a page of history: it is
 * drawn once.  Ids are UUIDv7, their order is the order of the conversation.
 */

function show(message) {
  const known = page.shown.get(message.id)
                ?? page.shown.get(message.clientId);

  if (known?.dataset.id) {
    return;
  }

  const li = known ?? bubble(message);

  li.classList.remove('sending', 'failed');
  stamp(li, message);
  page.shown.set(message.id, li);

  const later = [...$('log').children].find((item) => item !== li
    && (!item.dataset.id || item.dataset.id > message.id));

  $('log').insertBefore(li, later ?? null);
  $('empty').hidden = true;
}


function atEnd() {
  const box = $('scroll');

  return box.scrollHeight - box.scrollTop - box.clientHeight < 40;
}


function toEnd() {
  $('scroll').scrollTop = $('scroll').scrollHeight;
}


/* keeps the reader's place unless the place is the end */

function arrive(message) {
  const follow = atEnd();

  show(message);

  if (follow) {
    toEnd();
  }
}


/* -- history */

async function newest() {
  const { data, pagination } = await api(
    'GET', `conversations/${page.conversation}/messages?limit=30`);

  const first = page.before === null;
  const follow = first || atEnd();

  data.map(fromRow).forEach(show);

  if (first) {
    more(pagination);
  }

  $('empty').hidden = page.shown.size > 0;

  if (follow) {
    toEnd();
  }
}


async function earlier() {
  const box = $('scroll');
  const { data, pagination } = await api('GET',
    `conversations/${page.conversation}/messages?limit=30`
    + `&before=${page.before}`);
  const below = box.scrollHeight - box.scrollTop;

  data.map(fromRow).forEach(show);
  more(pagination);
  box.scrollTop = box.scrollHeight - below;
}


function more(pagination) {
  page.before = pagination?.nextBefore ?? '';
  $('earlier').hidden = !pagination?.hasMore;
}


/* -- sending: a retry has the same clientId, so that it is stored once */

function send(content) {
  const message = {
    clientId: crypto.randomUUID(),
    senderId: page.me.id,
    timestamp: new Date().toISOString(),
    content,
  };
  const li = bubble(message);

  page.shown.set(message.clientId, li);
  $('log').append(li);
  $('empty').hidden = true;
  toEnd();
  deliver(message, li);
}


function deliver(message, li) {
  li.classList.remove('failed');
  li.classList.add('sending');
  li.lastChild.textContent = 'Sending…';

  page.socket.timeout(8000).emit('message_send', {
    conversationId: page.conversation,
    content: message.content,
    clientId: message.clientId,
  }, (timeout, ack) => {
    if (!timeout && ack.status === 'success') {
      show(fromRow(ack.data));
      return;
    }

    const retry = document.createElement('button');

    retry.type = 'button';
    retry.textContent = 'Try again';
    retry.addEventListener('click', () => deliver(message, li));

    li.classList.replace('sending', 'failed');
    li.lastChild.replaceChildren(
      `Not sent: ${timeout ? 'no answer' : ack.message}. `, retry);
  });
}


/* -- connection */

function state(word, text) {
  $('state').dataset.state = word;
  $('state').textContent = text;
}


function listen() {
  const socket = io({
    auth: { token: page.me.token },
  });

  page.socket = socket;

  /* what was missed while the connection was down is in the history */

  socket.on('connect', () => {
    state('online', 'Online');
    newest().catch(fail);
  });

  socket.on('disconnect', () => state('offline', 'Reconnecting…'));

  socket.on('connect_error', (error) => {
    if (socket.active) {
      state('offline', 'Reconnecting…');
    } else {
      state('refused', error.message);
    }
  });

  for (const event of ['message', 'message_sent']) {
    socket.on(event, (message) => {
      if (message.conversationId === page.conversation) {
        arrive(message);
      }
    });
  }
}


/* -- start */

function fail(error) {
  $('problem').textContent = error.message;
  $('problem').hidden = false;
}


function signIn(users) {
  for (const user of users) {
    const link = document.createElement('a');

    link.href = '?user=' + encodeURIComponent(user.name.toLowerCase());
    link.textContent = user.name;
    $('people').append(link);
  }

  $('sign-in').hidden = false;
}


function compose() {
  const form = $('composer');
  const text = $('text');

  form.addEventListener('submit', (event) => {
    event.preventDefault();

    if (text.value.trim() !== '') {
      send(text.value.trim());
      text.value = '';
    }

    text.focus();
  });

  text.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });

  $('earlier').addEventListener('click', () => earlier().catch(fail));
  text.focus();
}


async function start() {
  const { users } = await (await fetch('demo.json')).json();
  const name = new URLSearchParams(location.search).get('user');

  page.me = users.find((user) => user.name.toLowerCase() === name);

  if (!page.me) {
    signIn(users);
    return;
  }

  page.other = users.find((user) => user !== page.me);

  document.title = `${page.me.name} – ngx_realtime demo`;
  $('avatar').textContent = page.other.name[0];
  $('other').textContent = page.other.name;
  $('me').textContent = `You are ${page.me.name}`;
  $('chat').hidden = false;

  /* the same two people always have the same conversation */

  const { data } = await api('POST', 'conversations', {
    participantId: page.other.id,
  });

  page.conversation = data.id;
  compose();
  listen();
}


start().catch(fail);
