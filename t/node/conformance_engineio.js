'use strict';

/*
 * Engine.IO 4, case by case, against a server that echoes messages and has
 * pingInterval 300, pingTimeout 200, maxPayload 1000000.
 *
 *   node conformance_engineio.js URL        with the path, without the query
 */

const {
  assert, sleep, request, Socket, open, polling, websocket, pollingSession,
  websocketSession, upgrade, run,
} = require('./conformance.js');

const { strictEqual: is, deepStrictEqual: same } = assert;


/* a GET that is there before what is to meet it; wrapped, or it would be
   waited for */

async function parked(session, options) {
  const get = request('GET', session, options);

  get.catch(() => {});
  await sleep(100);

  return { get };
}


/* what a GET brings, but for pings */

async function read(session) {
  for ( ; ; ) {
    const get = await request('GET', session);

    if (get.status !== 200 || get.body !== '2') {
      return { ...get, body: get.body.replace(/^2\x1e|\x1e2$/, '') };
    }

    await request('POST', session, { body: '3' });
  }
}


async function refused(method, ...queries) {
  const seen = [];

  for (const query of queries) {
    const res = await request(method, query);

    is(res.status, 400, query);
    seen.push(JSON.parse(res.body));
  }

  return seen;
}


async function shut(query) {
  /* it may have been opened before */
  assert.ok((await new Socket(query).next()).closed);
}


async function gone(session) {
  const res = await request('GET', session);

  is(res.status, 400);

  return JSON.parse(res.body);
}


const cases = {

  async 'handshake, polling: a session'() {
    const res = await request('GET', polling);
    const { sid, ...rest } = open(res.body);

    is(res.status, 200);
    assert.ok(typeof sid === 'string' && sid.length === 20);
    same(rest, { upgrades: ['websocket'], pingInterval: 300, pingTimeout: 200,
                 maxPayload: 1000000 });

    return [res.headers['content-type'], res.headers['cache-control']];
  },

  'handshake, polling: an invalid EIO': () =>
    refused('GET', 'transport=polling', 'EIO=abc&transport=polling',
            'EIO=3&transport=polling', 'EIO=5&transport=polling'),

  'handshake, polling: an invalid transport': () =>
    refused('GET', 'EIO=4', 'EIO=4&transport=abc', 'EIO=4&transport='),

  'handshake, polling: POST': () => refused('POST', polling),
  'handshake, polling: PUT': () => refused('PUT', polling),
  'handshake, polling: DELETE': () => refused('DELETE', polling),

  'handshake, polling: an unknown sid': () =>
    refused('GET', `${polling}&sid=abc`,
            `${polling}&sid=AAAAAAAAAAAAAAAAAAAA`),

  async 'handshake, WebSocket: a session'() {
    const socket = new Socket(websocket);
    const { sid, ...rest } = open(await socket.next());

    assert.ok(typeof sid === 'string' && sid.length === 20);
    same(rest, { upgrades: [], pingInterval: 300, pingTimeout: 200,
                 maxPayload: 1000000 });
    socket.end();
  },

  async 'handshake, WebSocket: an invalid EIO'() {
    await shut('transport=websocket');
    await shut('EIO=abc&transport=websocket');
  },

  async 'handshake, WebSocket: an invalid transport'() {
    await shut('EIO=4');
    await shut('EIO=4&transport=abc');
  },

  'handshake, WebSocket: an unknown sid': () =>
    shut(`${websocket}&sid=AAAAAAAAAAAAAAAAAAAA`),

  'handshake, WebSocket: no upgrade': () => refused('GET', websocket),
  'handshake, WebSocket: POST': () => refused('POST', websocket),
  'handshake, WebSocket: PUT': () => refused('PUT', websocket),

  async 'heartbeat, polling: ping and pong'() {
    const session = await pollingSession();

    for (let i = 0; i < 3; i++) {
      const get = await request('GET', session);

      same([get.status, get.body], [200, '2']);

      const post = await request('POST', session, { body: '3' });

      same([post.status, post.body], [200, 'ok']);
    }
  },

  async 'heartbeat, polling: no pong'() {
    const session = await pollingSession();

    await sleep(500);

    return gone(session);
  },

  async 'heartbeat, polling: a ping of the client'() {
    const session = await pollingSession();
    const post = await request('POST', session, { body: '2' });

    return [post.status, await gone(session)];
  },

  async 'heartbeat, WebSocket: ping and pong'() {
    const socket = await websocketSession();

    for (let i = 0; i < 3; i++) {
      is(await socket.next(), '2');
      socket.send('3');
    }

    socket.end();
  },

  async 'heartbeat, WebSocket: no pong'() {
    const socket = await websocketSession();
    const start = Date.now();

    is(await socket.next(), '2');

    const { closed } = await socket.next();

    assert.ok(Date.now() - start < 800);

    return closed;
  },

  async 'heartbeat, WebSocket: a ping of the client'() {
    const socket = await websocketSession();

    socket.send('2');

    return socket.next();
  },

  async 'close, polling: the pending GET hears of it'() {
    const session = await pollingSession();
    const pending = await parked(session);
    const post = await request('POST', session, { body: '1' });
    const get = await pending.get;

    same([post.status, post.body], [200, 'ok']);
    same([get.status, get.body], [200, '6']);

    return gone(session);
  },

  async 'close, polling: right behind a GET'() {
    for (let i = 0; i < 20; i++) {
      const session = await pollingSession();
      const [get, post] = await Promise.all([
        request('GET', session), request('POST', session, { body: '1' }),
      ]);

      same([get.status, get.body, post.body], [200, '6', 'ok']);
      is((await request('GET', session)).status, 400);
    }
  },

  async 'close, WebSocket: by a packet'() {
    const socket = await websocketSession();

    /* engine.io lets a ping time out */
    socket.send('1');

    while (!(await socket.next()).closed) { /* a ping */ }
  },

  async 'upgrade: from polling to WebSocket'() {
    const session = await pollingSession();
    const socket = await upgrade(session);

    socket.send('4hello');
    is(await socket.message(), '4hello');
    socket.end();
  },

  async 'upgrade: releases the pending GET'() {
    const session = await pollingSession();
    const pending = await parked(session);
    const socket = new Socket(session.replace('polling', 'websocket'));

    await socket.opened;
    socket.send('2probe');
    is(await socket.next(), '3probe');

    const get = await pending.get;

    same([get.status, get.body], [200, '6']);
    socket.send('5');
    socket.send('4hello');
    is(await socket.message(), '4hello');
    socket.end();
  },

  async 'upgrade: then HTTP requests are ignored'() {
    const session = await pollingSession();
    const socket = await upgrade(session);

    socket.send('4first');
    is(await socket.message(), '4first');

    const get = await request('GET', session);
    const post = await request('POST', session, { body: '4hello' });

    same([get.status, post.status], [400, 400]);
    socket.send('4hello');
    is(await socket.message(), '4hello');
    socket.end();

    return [get.body, post.body];
  },

  async 'upgrade: then another WebSocket is ignored'() {
    const session = await pollingSession();
    const socket = await upgrade(session);

    socket.send('4first');
    is(await socket.message(), '4first');

    const other = new Socket(session.replace('polling', 'websocket'));

    other.ws.on('open', () => other.send('2probe'));
    assert.ok((await other.next()).closed);
    socket.send('4hello');
    is(await socket.message(), '4hello');
    socket.end();
  },

  async 'upgrade: the heartbeat goes on'() {
    const session = await pollingSession();
    const socket = await upgrade(session);

    for (let i = 0; i < 3; i++) {
      is(await socket.next(), '2');
      socket.send('3');
    }

    socket.end();
  },

  async 'message, polling: text'() {
    const session = await pollingSession();
    const body = '4test1\x1e4test2\x1e4\u20ac\u{1f600}';
    const post = await request('POST', session, { body });
    const get = await read(session);

    same([post.status, post.body], [200, 'ok']);
    same([get.status, get.body], [200, body]);

    return [post.headers['content-type'], get.headers['content-type']];
  },

  async 'message, polling: binary'() {
    const session = await pollingSession();
    const post = await request('POST', session, { body: 'bAQIDBA==' });
    const get = await read(session);

    same([post.status, post.body], [200, 'ok']);
    same([get.status, get.body], [200, 'bAQIDBA==']);

    return get.headers['content-type'];
  },

  async 'message, polling: text and binary'() {
    const session = await pollingSession();
    const body = '4a\x1ebAQ==\x1e4b\x1eb\x1ebAQI=\x1e4';

    is((await request('POST', session, { body })).body, 'ok');

    return (await read(session)).body;
  },

  async 'message, polling: nearly maxPayload'() {
    const session = await pollingSession();
    const body = `4${'x'.repeat(999999)}`;

    is((await request('POST', session, { body })).body, 'ok');
    is((await read(session)).body, body);
  },

  async 'message, polling: over maxPayload'() {
    const session = await pollingSession();
    const body = `4${'x'.repeat(1000000)}`;
    let status = 'closed';

    try {
      status = (await request('POST', session, { body })).status;
    } catch {
      /* the server need not read it */
    }

    assert.ok([413, 'closed'].includes(status), `${status}`);
    is((await request('POST', session, { body: '4x' })).body, 'ok');
  },

  async 'message, polling: an invalid packet'() {
    const session = await pollingSession();
    const post = await request('POST', session, { body: 'abc' });

    return [post.status, await gone(session)];
  },

  async 'message, polling: a second GET'() {
    const session = await pollingSession();
    const pending = await parked(session);
    const second = await request('GET', session);
    const first = await pending.get;

    same([first.status, first.body], [200, '1']);
    is(second.status, 400);

    return gone(session);
  },

  async 'message, polling: a GET that is given up'() {
    const session = await pollingSession();
    const controller = new AbortController();

    await parked(session, { signal: controller.signal });
    controller.abort();
    await sleep(20);

    return gone(session);
  },

  async 'message, WebSocket: text'() {
    const socket = await websocketSession();

    socket.send('4hello');
    is(await socket.message(), '4hello');
    socket.send('4\u20ac\u{1f600}');
    is(await socket.message(), '4\u20ac\u{1f600}');
    socket.end();
  },

  async 'message, WebSocket: binary'() {
    const socket = await websocketSession();

    socket.send(Buffer.from([1, 2, 3, 4]));
    same(await socket.message(), Buffer.from([1, 2, 3, 4]));
    socket.send(Buffer.alloc(0));
    same(await socket.message(), Buffer.alloc(0));
    socket.end();
  },

  async 'message, WebSocket: an invalid packet'() {
    const socket = await websocketSession();

    socket.send('abc');

    return socket.message();
  },
};


run(cases);
