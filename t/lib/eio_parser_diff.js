// Copyright (C) ngx_realtime contributors

// For t/eio_parser_diff.t: payloads are given to the stock parser and to the
// program argv[2]; prints TAP.
//
// Both must split them into the same packets and stop at the same place,
// except for base64 that rt_eio.c says it refuses, which Node.js never does.

'use strict';

const { spawnSync } = require('child_process');
const { decodePayload, encodePayload } = require('engine.io-parser');

const SEPARATOR = '\x1e';
const PARTS = ['', '0', '0{}', '1', '2', '2probe', '3', '4', '42["a"]',
    '451-["a",{"_placeholder":true,"num":0}]', '4\u00e9\ud83d\ude00', '5', '6',
    '7', '9', 'a', 'B', ' 4', '/', '\u00e9', 'b', 'bAQIDBA==', 'bAQIDBA',
    'bAQID', 'bAQI=', 'bAQI', 'bAQ', 'bAR==', 'bA', 'bAA=', 'bA===', 'b====',
    'bAA==AA==', 'b AQID', 'bAQ\nID', 'b-_-_', 'b+/+/', 'bb4AA'];
const TYPES = ['open', 'close', 'ping', 'pong', 'message', 'upgrade', 'noop'];
const BASE64 = new RegExp('^(?:D{4})*(?:D{2}(?:==)?|D{3}=?)?$'
    .replaceAll('D', '[A-Za-z\\d+/]'));


// up to three parts, most of them with a few characters changed; attachments
// of any bytes, as they are or cut off

function* cases() {
    let seed = 1;
    const random = n => {
        seed = Math.imul(seed, 1664525) + 1013904223 >>> 0;
        return Math.floor(seed / 4294967296 * n);
    };
    const letters = '0123456789bAZaz+/-_= \n\x1e\u00e9"{';

    yield* PARTS;
    yield* PARTS.map(s => s + SEPARATOR);
    yield* PARTS.map(s => SEPARATOR + s);

    for (let i = 0; i < 40000; i++) {
        const parts = [];

        for (let n = 1 + random(3); n > 0; n--) {
            const bytes = Buffer.from(Array.from({ length: random(20) },
                () => random(256)));

            parts.push(random(3) ? PARTS[random(PARTS.length)]
                : 'b' + bytes.toString('base64'));
        }

        let s = parts.join(SEPARATOR);

        for (let n = random(3); n > 0; n--) {
            const at = random(s.length + 1);
            const letter = random(2) ? letters[random(letters.length)] : '';

            s = s.slice(0, at) + letter + s.slice(at + random(2));
        }

        yield s.toWellFormed ? s.toWellFormed() : Buffer.from(s).toString();
    }
}


const counts = { packets: 0, attachments: 0, refused: 0, onPurpose: 0 };


function stock(s) {
    const parts = s.split(SEPARATOR);
    let text = '';

    for (const [i, packet] of decodePayload(s, 'nodebuffer').entries()) {

        if (packet.type === 'error') {
            counts.refused++;
            return text + ' !';
        }

        if (Buffer.isBuffer(packet.data)) {

            if (!BASE64.test(parts[i].slice(1))) {
                counts.onPurpose++;
                return text + ' !';
            }

            counts.attachments++;
            encodePayload([packet], written => {
                text += ` b:${packet.data.toString('hex')}:${written}`;
            });

        } else {
            counts.packets++;
            text += ` ${TYPES.indexOf(packet.type)}:`
                + Buffer.from(packet.data ?? '').toString('hex');
        }
    }

    return text;
}


const inputs = [...cases()];
const { stdout, status } = spawnSync(process.argv[2], {
    input: inputs.map(s => Buffer.from(s).toString('hex') + '\n').join(''),
    maxBuffer: 1 << 28,
});
const outputs = stdout.toString().split('\n');

const wrong = inputs.map((s, i) => [s, outputs[i], stock(s)])
    .filter(([, got, want]) => got !== want);

const check = (n, ok, name) =>
    console.log(`${ok ? '' : 'not '}ok ${n} - ${name}`);

wrong.slice(0, 20).forEach(([s, got, want]) =>
    console.log(`# ${JSON.stringify(s)}: got "${got}", want "${want}"`));

check(1, status === 0, 'the program ended well');
check(2, wrong.length === 0, `${inputs.length} payloads, ${counts.packets} `
    + `packets and ${counts.attachments} attachments, are split alike`);
check(3, Math.min(...Object.values(counts)) > 1000, 'all kinds are among them');
console.log('1..3');
