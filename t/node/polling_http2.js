'use strict';

/*
 * Polling over one HTTP/2 connection (and one of HTTP/1.1 for what has to
 * come from elsewhere), against echo=engine.
 *
 *   node polling_http2.js URL_OF_HTTP2 URL_OF_HTTP1
 *
 * It prints {"case": name, "verdict": ...}; see conformance.js.
 */

const http2 = require('node:http2');
const { assert, sleep, request, open, polling, run } =
  require('./conformance.js');

const { strictEqual: is, deepStrictEqual: same } = assert;

const path = new URL(process.argv[2]).pathname;
const client = http2.connect(process.argv[3]);


function stream(method, query, body) {
  const req = client.request({ ':method': method,
                               ':path': `${path}?${query}` });

  const answer = new Promise((resolve, reject) => {
    let status;
    const chunks = [];

    req.on('response', (headers) => { status = headers[':status']; });
    req.on('data', (chunk) => chunks.push(chunk));
    req.on('end', () => resolve({ status,
                                  body: Buffer.concat(chunks).toString() }));
    req.on('error', reject);
  });

  answer.catch(() => {});
  req.end(body);

  return { req, answer };
}


const ask = (...args) => stream(...args).answer;


async function session() {
  const { sid } = open((await ask('GET', polling)).body);

  return `${polling}&sid=${sid}`;
}


run({
  async 'round trips'() {
    const s = await session();

    for (let i = 0; i < 20; i++) {
      same(await ask('POST', s, `4${i}`), { status: 200, body: 'ok' });
      same(await ask('GET', s), { status: 200, body: `4${i}` });
    }
  },

  async 'a parked GET is answered'() {
    const s = await session();
    const get = ask('GET', s);

    await sleep(100);
    same(await ask('POST', s, '4x'), { status: 200, body: 'ok' });
    same(await get, { status: 200, body: '4x' });
  },

  async 'a payload of a megabyte'() {
    const s = await session();
    const text = `4${'x'.repeat(999999)}`;
    const get = ask('GET', s);

    same(await ask('POST', s, text), { status: 200, body: 'ok' });
    is((await get).body, text);
  },

  async 'a second GET'() {
    const s = await session();
    const get = ask('GET', s);

    await sleep(100);
    is((await ask('GET', s)).status, 400);
    same(await get, { status: 200, body: '1' });
    is(JSON.parse((await ask('GET', s)).body).code, 1);
  },

  async 'a GET that is reset'() {
    const s = await session();
    const { req } = stream('GET', s);

    await sleep(100);
    req.close(http2.constants.NGHTTP2_CANCEL);
    await sleep(100);
    is(JSON.parse((await ask('GET', s)).body).code, 1);
  },

  /* ends the session, as at the reference server */

  async 'a POST that is reset within its body'() {
    const s = await session();
    const req = client.request({ ':method': 'POST', ':path': `${path}?${s}`,
                                 'content-length': 10 });

    req.on('error', () => {});
    req.write('4x');
    await sleep(50);
    req.close(http2.constants.NGHTTP2_CANCEL);
    await sleep(100);
    same(JSON.parse((await ask('GET', s)).body).code, 1);
  },

  async 'HEAD'() {
    const s = await session();

    same(await ask('HEAD', polling), { status: 400, body: '' });
    same(await ask('HEAD', s), { status: 400, body: '' });
    same(await ask('POST', s, '4y'), { status: 200, body: 'ok' });
  },

  async 'a WebSocket over HTTP/2 is none'() {
    const { answer } = stream('GET', 'EIO=4&transport=websocket');

    same(JSON.parse((await answer).body).code, 3);
  },

  async 'the session is also HTTP/1.1'() {
    const s = await session();
    const get = ask('GET', s);

    await sleep(100);
    is((await request('POST', s, { body: '4z' })).body, 'ok');
    same(await get, { status: 200, body: '4z' });
  },
});
