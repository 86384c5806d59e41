'use strict';

/*
 * A network that can be cut: what connects to it is connected to the port of
 * the URL, until cut() ends all that is connected, without a word.
 *
 *   const proxy = await network(url);      proxy.url, proxy.cut()
 */

const net = require('node:net');


function network(url) {
  const { hostname, port } = new URL(url);
  const open = new Set();

  const server = net.createServer((near) => {
    const far = net.connect(port, hostname);

    for (const [from, to] of [[near, far], [far, near]]) {
      open.add(from);
      from.setNoDelay(true);
      from.on('error', () => {});
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });

  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({
      url: `http://127.0.0.1:${server.address().port}`,
      cut: () => open.forEach((socket) => socket.destroy()),
    }));
  });
}

module.exports = { network };
