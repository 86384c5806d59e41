// Copyright (C) ngx_realtime contributors

// For t/sio_parser_diff.t: packets are given to the stock parser and to the
// program argv[2]; prints TAP.
//
// Whatever the stock parser refuses must be refused.  Whatever it accepts must
// be accepted and mean the same, unless it is one of what rt_sio.c says it
// refuses: then it must be refused.

'use strict';

const assert = require('assert');
const { spawnSync } = require('child_process');
const { Decoder } = require('socket.io-parser');

const TYPES = ['0', '1', '2', '3', '4', '5', '6', '7', '', ' ', 'a'];
const COUNTS = ['1-', '2-', '10-', '01-', '11-', '0-', '-', '', '1', '1.5-',
    ' 1-', '1e0-', '0x1-', '-1-'];
const NAMESPACES = ['', '/', '/,', '/admin,', '/admin', '/a?b=\u00e9,',
    '/' + 'x'.repeat(255) + ','];
const IDS = ['', '0', '12', '007', '9007199254740991', '9007199254740992',
    ' ', '1 ', '1 2', '\n', '\u00a0', '-1', '1.5'];
const PAYLOADS = ['', '["a"]', '["a",1]', '[]', '{}', '{"token":"t"}', '"s"',
    'null', 'false', 'true', '1', '["connect"]', '["disconnecting",1]', '[1]',
    '[null]', '[["a"]]', 'abc', '["a"', ' ["a"]', '["a"] ', '["a"]x', '["\\x"]',
    '{"a":1,"a":2}', '["\\u0000"]', '[-0,1.50,12345678901234567890123]',
    '["a","\\ud83d\\ude00/,1-"]', '["\n"]', '["\\ud83d\\ude00"]',
    '["c\\u006fnnect"]', '["\\u0061\\/b",[ 1 ]]', '["\\u0022,\\u0022",2]',
    '["\\ud83d",{}]', '[1e999]'];

Error.stackTraceLimit = 0;     // most packets are refused


// from all combinations: a part of them as they are, the rest with one or two
// characters replaced, inserted or left out

function* cases() {
    const all = [];

    for (const type of TYPES) {
        for (const count of /[56]/.test(type) ? COUNTS : ['']) {
            for (const nsp of NAMESPACES) {
                for (const id of IDS) {
                    for (const payload of PAYLOADS) {
                        all.push(type + count + nsp + id + payload);
                    }
                }
            }
        }
    }

    let seed = 1;
    const random = n => {
        seed = Math.imul(seed, 1664525) + 1013904223 >>> 0;
        return Math.floor(seed / 4294967296 * n);
    };
    const letters = '0123456-/,[]{}":\\ \t\u00e9aeE.+';

    for (let i = 0; i < 40000; i++) {
        let s = all[random(all.length)];

        for (let n = random(3); n > 0; n--) {
            const at = random(s.length + 1);
            const letter = random(2) ? letters[random(letters.length)] : '';

            s = s.slice(0, at) + letter + s.slice(at + random(2));
        }

        yield s;
    }
}


function stock(s) {
    let p;

    try {
        p = new Decoder().decodeString(s);
    } catch (e) {
        return null;
    }

    const result = [p.type, p.attachments || 0, p.nsp, p.id ?? null];

    if (p.data !== undefined) {
        result.push(p.data);
    }

    return result;
}


// the header, step by step as rt_sio.c reads it

function refusedOnPurpose(s) {
    const start = /^(?:[0-4]|[56]0*(?:[1-9]|10)-)/.exec(s);

    if (!start) {
        return true;
    }

    const rest = s.slice(start[0].length);
    const nsp = /^(?:\/[^,]*)?/.exec(rest)[0];
    const tail = rest.slice(nsp ? nsp.length + 1 : 0);
    const id = /^\d*/.exec(tail)[0];
    const json = tail.slice(id.length);

    return Buffer.byteLength(nsp) > 255
        || Number(id) > Number.MAX_SAFE_INTEGER
        || /^\s/.test(json)
        || json === '' && !/^[01]/.test(s);
}


const inputs = [...cases()];
const { stdout, status } = spawnSync(process.argv[2], {
    input: inputs.map(s => Buffer.from(s).toString('hex') + '\n').join(''),
    maxBuffer: 1 << 28,
});
const outputs = stdout.toString().split('\n');

const wrong = [];
let accepted = 0, onPurpose = 0;

inputs.forEach((s, i) => {
    let want = stock(s);

    if (want && refusedOnPurpose(s)) {
        want = null;
        onPurpose++;
    }

    accepted += want !== null;

    try {
        assert.deepStrictEqual(JSON.parse(outputs[i]), want);
    } catch (e) {
        wrong.push(`${JSON.stringify(s)}: got ${outputs[i]}, want `
            + JSON.stringify(want));
    }
});

const check = (n, ok, name) =>
    console.log(`${ok ? '' : 'not '}ok ${n} - ${name}`);

wrong.slice(0, 20).forEach(text => console.log('# ' + text));

check(1, status === 0, 'the program ended well');
check(2, wrong.length === 0,
    `${inputs.length} packets, ${accepted} of them accepted, are read alike`);
check(3, accepted > 1000 && onPurpose > 100, 'both kinds are among them');
console.log('1..3');
