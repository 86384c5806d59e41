'use strict';

/*
 * A connection of Engine.IO 4 without a stock client: what it sends and when
 * it ends is its owner's.  "websocket", "polling", or "upgrade", which begins
 * with polling and moves after the first packet of the server's Socket.IO.
 *
 *   new Raw(url, kind, { packet: (text) => ..., closed: (why) => ... })
 *   raw.send(text), raw.abandon(how)
 *
 * After "closed", or abandon(), nothing more is heard of it.
 */

const http = require('node:http');
const { WebSocket } = require('ws');


class Raw {

  constructor(url, kind, up) {
    this.url = url + '/socket.io/?EIO=4&transport=';
    this.kind = kind;
    this.up = up;
    this.over = false;
    this.out = [];                      // packets, while a POST is under way
    this.posting = false;
    this.requests = new Set();
    this.ws = null;
    this.probe = null;                  // the WebSocket of an upgrade
    this.moving = false;                // polls no more, has not sent "5"

    if (kind === 'websocket') {
      this.ws = this.socket(this.url + 'websocket', (text) => this.got(text));
    } else {
      this.poll();
    }
  }


  /* events of a socket that is not used any more are nobody's */

  socket(url, packet) {
    const ws = new WebSocket(url.replace('http', 'ws'), {
      perMessageDeflate: false, handshakeTimeout: 10000,
    });

    ws.on('message', (data) => {
      if (!this.over) {
        packet(String(data));
      }
    });
    ws.on('error', () => {});
    ws.on('close', (code) => {
      if (ws === this.ws) {
        this.end(`close ${code}`);
      } else if (ws === this.probe && !this.moving) {
        this.probe = null;              // it goes on polling
      }
    });

    return ws;
  }


  got(text) {
    if (text[0] === '0') {
      this.sid = JSON.parse(text.slice(1)).sid;
    }

    if (text === '2') {
      this.send('3');
    } else if (text === '1') {
      this.end('close packet');
    } else if (text !== '6') {
      this.up.packet(text);
    }

    if (this.kind === 'upgrade' && !this.probe && text.startsWith('40')) {
      this.upgrade();
    }
  }


  end(why) {
    if (!this.over) {
      this.abandon();
      this.up.closed(why);
    }
  }


  request(method, body, done) {
    const url = this.url + 'polling' + (this.sid ? `&sid=${this.sid}` : '');
    const failed = (error) => this.end(`${method} ${error.code}`);

    const req = http.request(url, { method, agent: false }, (res) => {
      let text = '';

      res.setEncoding('utf8');
      res.on('data', (part) => { text += part; });
      res.on('error', failed);
      res.on('end', () => {
        this.requests.delete(req);

        if (this.over) {
          return;
        }

        if (res.statusCode !== 200) {
          this.end(`${method} ${res.statusCode}`);
        } else if (res.complete) {
          done(text);
        }
      });
    });

    this.requests.add(req);
    req.on('error', failed);
    req.end(body);
  }


  poll() {
    this.request('GET', undefined, (text) => {
      for (const packet of text.split('\x1e')) {
        if (!this.over) {
          this.got(packet);
        }
      }

      if (this.over) {
        return;
      }

      if (this.moving) {
        this.polling = false;
        this.move();
      } else {
        this.poll();
      }
    });
  }


  send(text) {
    if (this.over) {
      return;
    }

    if (this.ws) {
      this.ws.send(text);
      return;
    }

    this.out.push(text);
    this.post();
  }


  post() {
    if (this.posting || this.out.length === 0 || this.moving) {
      return;
    }

    this.posting = true;

    this.request('POST', this.out.splice(0).join('\x1e'), () => {
      this.posting = false;

      if (this.moving) {
        this.move();
      } else {
        this.post();
      }
    });
  }


  upgrade() {
    this.polling = true;

    this.probe = this.socket(`${this.url}websocket&sid=${this.sid}`,
      (text) => {
        if (text === '3probe') {
          this.moving = true;           // the GET is answered with a NOOP
        } else if (this.ws) {
          this.got(text);
        }
      });

    this.probe.on('open', () => this.probe?.send('2probe'));
  }


  /* once the GET and the POST are done */

  move() {
    if (this.polling || this.posting) {
      return;
    }

    this.moving = false;
    this.ws = this.probe;

    if (this.ws.readyState !== WebSocket.OPEN) {
      this.end('lost in the upgrade');
      return;
    }

    this.ws.send('5');
    this.up.moved?.();

    for (const text of this.out.splice(0)) {
      this.ws.send(text);
    }
  }


  /* "silent": what is open stays open, and the server hears nothing more */

  abandon(how) {
    this.over = true;

    if (how === 'silent') {
      this.ws?.pause();
      return;
    }

    if (how === 'goodbye' && this.ws?.readyState === WebSocket.OPEN) {
      this.ws.send('1');
    }

    for (const ws of [this.ws, this.probe]) {
      ws?.terminate();
    }

    for (const req of this.requests) {
      req.destroy();
    }
  }
}

module.exports = { Raw };
