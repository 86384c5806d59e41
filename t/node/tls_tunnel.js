'use strict';

/*
 * Plain TCP in, TLS out, so that a raw client of the tests can be one of a
 * TLS port.  It reads from the server no faster than its client does.
 *
 *   node tls_tunnel.js PORT [BYTES]
 *
 * BYTES is how many of the client's bytes go into one record.  It prints
 * {"port": number} when it listens.
 */

const { createServer } = require('node:net');
const { connect } = require('node:tls');
const { Transform, pipeline } = require('node:stream');

const [port, bytes = '16384'] = process.argv.slice(2);
const size = Number(bytes);


/* the next write waits for the last, else TLS makes one record of them */

function records() {
  return new Transform({
    readableHighWaterMark: size,

    transform(chunk, encoding, done) {
      for (let i = 0; i < chunk.length; i += size) {
        this.push(chunk.subarray(i, i + size));
      }

      done();
    },
  });
}


async function forward(from, to) {
  for await (const chunk of from.pipe(records())) {
    await new Promise((resolve) => to.write(chunk, resolve));
  }

  to.end();
}


const server = createServer((client) => {
  const tls = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });

  tls.setNoDelay();

  const end = () => {
    client.destroy();
    tls.destroy();
  };

  forward(client, tls).catch(end);
  pipeline(tls, client, end);
});

server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: server.address().port }));
});

process.stdin.on('end', () => process.exit(0)).resume();
