'use strict';

/*
 * Socket.IO 5, case by case, over WebSocket and over polling, against a
 * server with connectTimeout 1000 that emits "auth", echoes "message" as
 * "message-back", and acknowledges "message-with-ack", in / and in /custom.
 *
 *   node conformance_socketio.js URL        with the path, without the query
 */

const {
  assert, sleep, request, message, pollingSession, websocketSession,
  upgrade, run,
} = require('./conformance.js');

const { strictEqual: is, deepStrictEqual: same } = assert;


/* a polling session that looks like a Socket of conformance.js */

class Poller {
  constructor(session) {
    this.session = session;
    this.queue = [];
    this.sent = Promise.resolve();
  }

  send(...packets) {
    const body = packets.map((p) => {
      return Buffer.isBuffer(p) ? `b${p.toString('base64')}` : p;
    }).join('\x1e');

    this.sent = this.sent.then(() => request('POST', this.session, { body }));
  }

  async next() {
    await this.sent;

    if (this.queue.length === 0) {
      const res = await request('GET', this.session);

      if (res.status !== 200) {
        return { closed: 'the session' };
      }

      this.queue = res.body.split('\x1e').map((p) => {
        return p[0] === 'b' ? Buffer.from(p.slice(1), 'base64') : p;
      });
    }

    const value = this.queue.shift();

    return value === '1' ? { closed: 'the session' } : value;
  }

  message() { return message(this); }
  end() {}
}


const transports = {
  async WebSocket() {
    const socket = await websocketSession();

    return {
      send: (...packets) => packets.forEach((p) => socket.send(p)),
      message: (timeout) => socket.message(timeout),
      end: () => socket.end(),
    };
  },

  async polling() { return new Poller(await pollingSession()); },

  async upgraded() {
    const socket = await upgrade(await pollingSession());

    return {
      send: (...packets) => packets.forEach((p) => socket.send(p)),
      message: (timeout) => socket.message(timeout),
      end: () => socket.end(),
    };
  },
};


/* a packet up to its JSON, and the JSON */

function packet(text) {
  assert.ok(typeof text === 'string', JSON.stringify(text));

  const at = text.search(/[{[]/);

  return at < 0 ? [text] : [text.slice(0, at), JSON.parse(text.slice(at))];
}


async function connect(client, nsp = '', auth = '') {
  client.send(`40${nsp}${auth}`);

  const [head, { sid, ...rest }] = packet(await client.message());

  is(head, `40${nsp}`);
  is(typeof sid, 'string');
  same(rest, {});
  same(packet(await client.message()),
       [`42${nsp}`, ['auth', JSON.parse(auth || '{}')]]);
}


async function closed(client) {
  const value = await client.message();

  assert.ok(value.closed, JSON.stringify(value));
}


const placeholder = (num) => ({ _placeholder: true, num });
const bytes = (...list) => Buffer.from(list);


const cases = {

  'connect to /': (client) => connect(client),
  'connect to /, auth': (client) => connect(client, '', '{"token":"123"}'),
  'connect to /custom': (client) => connect(client, '/custom,'),

  'connect to /custom, auth': (client) =>
    connect(client, '/custom,', '{"token":"abc","n":[1,{"x":null}]}'),

  async 'connect to an unknown namespace'(client) {
    client.send('40/random');
    same(packet(await client.message()),
         ['44/random,', { message: 'Invalid namespace' }]);
  },

  async 'connect to an unknown namespace, then to /'(client) {
    client.send('40/random,{"a":1}');
    same(packet(await client.message()),
         ['44/random,', { message: 'Invalid namespace' }]);
    await connect(client);
  },

  async 'connect to two namespaces'(client) {
    await connect(client);
    await connect(client, '/custom,');
    client.send('42/custom,["message",1]');
    same(packet(await client.message()), ['42/custom,', ['message-back', 1]]);
    client.send('42["message",2]');
    same(packet(await client.message()), ['42', ['message-back', 2]]);
  },

  async 'an invalid handshake'(client) {
    client.send('4abc');
    await closed(client);
  },

  async 'no handshake in time'(client) {
    const start = Date.now();

    await closed(client);
    assert.ok(Date.now() - start > 500);
    assert.ok(Date.now() - start < 2000);
  },

  /* a reference server is done with a DISCONNECT a little later */

  async 'disconnect from /'(client) {
    await connect(client);
    client.send('41');
    await sleep(50);
    client.send('42["message"]');
    await closed(client);
  },

  async 'disconnect from /custom'(client) {
    await connect(client);
    await connect(client, '/custom,');
    client.send('41/custom,');
    client.send('42["message","x"]');
    same(packet(await client.message()), ['42', ['message-back', 'x']]);
  },

  async 'disconnect, and connect again'(client) {
    await connect(client);
    client.send('41');
    await sleep(50);
    await connect(client);
  },

  async 'message: text'(client) {
    await connect(client);
    client.send('42["message",1,"2",{"3":[true,null,4.5,"\u20ac"]}]');
    same(packet(await client.message()),
         ['42', ['message-back', 1, '2', { 3: [true, null, 4.5, '\u20ac'] }]]);
  },

  async 'message: no arguments'(client) {
    await connect(client);
    client.send('42["message"]');
    same(packet(await client.message()), ['42', ['message-back']]);
  },

  async 'message: text in /custom'(client) {
    await connect(client, '/custom,');
    client.send('42/custom,["message",{"a":"b"}]');
    same(packet(await client.message()),
         ['42/custom,', ['message-back', { a: 'b' }]]);
  },

  async 'message: binary'(client) {
    await connect(client);
    client.send('452-["message",{"_placeholder":true,"num":0},'
                + '{"_placeholder":true,"num":1}]', bytes(1, 2, 3),
                bytes(4, 5, 6));
    same(packet(await client.message()),
         ['452-', ['message-back', placeholder(0), placeholder(1)]]);
    same(await client.message(), bytes(1, 2, 3));
    same(await client.message(), bytes(4, 5, 6));
  },

  async 'message: binary, deep'(client) {
    await connect(client);
    client.send('451-["message",{"a":[{"b":{"_placeholder":true,"num":0}}]}]',
                bytes(0xff));
    same(packet(await client.message()),
         ['451-', ['message-back', { a: [{ b: placeholder(0) }] }]]);
    same(await client.message(), bytes(0xff));
  },

  async 'message: binary in /custom'(client) {
    await connect(client, '/custom,');
    client.send('451-/custom,["message",{"_placeholder":true,"num":0}]',
                bytes(9));
    same(packet(await client.message()),
         ['451-/custom,', ['message-back', placeholder(0)]]);
    same(await client.message(), bytes(9));
  },

  async 'ack: text'(client) {
    await connect(client);
    client.send('42456["message-with-ack",1,"2",{"3":[false]}]');
    same(packet(await client.message()), ['43456', [1, '2', { 3: [false] }]]);
  },

  async 'ack: no arguments'(client) {
    await connect(client);
    client.send('420["message-with-ack"]');
    same(packet(await client.message()), ['430', []]);
  },

  async 'ack: text in /custom'(client) {
    await connect(client, '/custom,');
    client.send('42/custom,1["message-with-ack",1]');
    same(packet(await client.message()), ['43/custom,1', [1]]);
  },

  async 'ack: binary'(client) {
    await connect(client);
    client.send('452-789["message-with-ack",{"_placeholder":true,"num":0},'
                + '{"_placeholder":true,"num":1}]', bytes(1, 2, 3),
                bytes(4, 5, 6));
    same(packet(await client.message()),
         ['462-789', [placeholder(0), placeholder(1)]]);
    same(await client.message(), bytes(1, 2, 3));
    same(await client.message(), bytes(4, 5, 6));
  },
};


/* what a server that is connected does with one packet: closed or not */

const packets = {
  'an unknown type': ['4abc'],
  'type 7': ['47'],
  'no type': ['4'],
  'an object as payload': ['42{}'],
  'no payload': ['42'],
  'malformed JSON': ['42["message"'],
  'two values': ['42["message"]["message"]'],
  'an empty array': ['42[]'],
  'an event that is null': ['42[null]'],
  'an event that is an object': ['42[{}]'],
  'an event that is a number': ['42[1,"x"]'],
  'an invalid ack id': ['42abc["message-with-ack",1]'],
  'a negative ack id': ['42-1["message-with-ack",1]'],
  'an ack nobody asked for': ['4399["x"]'],
  'an ack without an array': ['430{}'],
  'an ack without anything': ['430'],
  'a namespace not joined': ['42/custom,["message",1]'],
  'an unknown namespace': ['42/random,["message",1]'],
  'a second CONNECT': ['40'],
  'CONNECT with an array': ['40/custom,[]'],
  'CONNECT with a string': ['40/custom,"x"'],
  'CONNECT with null': ['40/custom,null'],
  'DISCONNECT with a payload': ['41{}'],
  'a reserved name': ['42["connect"]'],
  'a reserved name, disconnecting': ['42["disconnecting"]'],
  'a reserved name, newListener': ['42["newListener"]'],
  'a CONNECT_ERROR of the client': ['44{}'],
  'an attachment unasked': [bytes(1)],
  'text instead of the attachment':
    ['451-["message",{"_placeholder":true,"num":0}]', '42["message",1]'],
  'no number of attachments': ['45["message",1]'],
  'no dash': ['451["message",{"_placeholder":true,"num":0}]', bytes(1)],
  'a number that is none': ['45x-["message",1]'],
  'a placeholder out of range':
    ['451-["message",{"_placeholder":true,"num":1}]', bytes(1)],
  'a placeholder that is negative':
    ['451-["message",{"_placeholder":true,"num":-1}]', bytes(1)],
  'a placeholder that is a string':
    ['451-["message",{"_placeholder":true,"num":"0"}]', bytes(1)],
  'eleven attachments': ['4511-["message",1]'],
  'UPGRADE unasked': ['5'],
  'OPEN of the client': ['0'],
  'NOOP of the client': ['6'],
};

for (const [name, list] of Object.entries(packets)) {
  cases[`packet: ${name}`] = async (client) => {
    await connect(client);
    client.send(...list);

    try {
      client.send('42["message","still here"]');
    } catch {
      /* closed already */
    }

    for ( ; ; ) {
      const value = await client.message();

      if (value.closed) {
        return 'closed';
      }

      if (/still here/.test(value)) {
        return 'open';
      }
    }
  };
}


const all = {};

for (const transport of Object.keys(transports)) {
  for (const name of Object.keys(cases)) {
    all[`${transport}: ${name}`] = async () => {
      const client = await transports[transport]();

      try {
        return await cases[name](client);
      } finally {
        client.end();
      }
    };
  }
}

run(all);
