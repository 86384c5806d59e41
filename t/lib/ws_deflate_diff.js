// Copyright (C) ngx_realtime contributors

// For t/ws_deflate_diff.t: offers and messages are given to the program
// argv[2] and to ws; prints TAP.
//
// What ws takes for no list of extensions must be malformed.  An offer that ws
// would accept must be accepted, and ws as the client must accept the answer;
// except for what rt_deflate.c says it declines.

'use strict';

const { spawnSync } = require('child_process');
const path = require('path');
const { promisify } = require('util');

// the package does not export them

const ws = path.join(process.env.NODE_PATH, 'ws', 'lib');
const extension = require(path.join(ws, 'extension.js'));
const PerMessageDeflate = require(path.join(ws, 'permessage-deflate.js'));

const NAME = 'permessage-deflate';
const BITS = 12;               // of the program's stream
const WORDS = [NAME, NAME, NAME, 'foo', 'server_no_context_takeover',
    'client_no_context_takeover', 'client_max_window_bits',
    'client_max_window_bits=15', 'client_max_window_bits=8',
    'client_max_window_bits="9"', 'client_max_window_bits=7',
    'server_max_window_bits', 'server_max_window_bits=12',
    'server_max_window_bits=15', 'server_max_window_bits="13"',
    'server_max_window_bits=11', 'server_max_window_bits=8',
    'server_max_window_bits=16', 'x="\\y"', 'x="\\"',
    'server_no_context_takeover=1', 'x', 'x="y"', '', 'a b', 'x="', 'x=""'];
const SEPARATORS = ['; ', '; ', '; ', ';', ', ', ' , ', ' ;\t', '=', ' ', ';;'];


let seed = 1;

function random(n) {
    seed = Math.imul(seed, 1664525) + 1013904223 >>> 0;
    return Math.floor(seed / 4294967296 * n);
}


function offer() {
    const letters = ';,=" \t(a0128\u00e9';
    let s = random(4) ? NAME : WORDS[random(WORDS.length)];

    for (let n = random(5); n > 0; n--) {
        s += SEPARATORS[random(SEPARATORS.length)]
            + WORDS[random(WORDS.length)];
    }

    for (let n = random(6) ? 0 : 1 + random(2); n > 0; n--) {
        const at = random(s.length + 1);
        const letter = random(2) ? letters[random(letters.length)] : '';

        s = s.slice(0, at) + letter + s.slice(at + random(2));
    }

    return s;
}


// ws has no empty elements in a list, and no blanks around it

function listed(s) {
    return s.split(/((?:[^,"]|"[^"]*"?)*)/)
        .filter(element => !/^[\s,]*$/.test(element))
        .map(element => element.replace(/^[ \t]+|[ \t]+$/g, ''))
        .join(',');
}


function declinedOnPurpose(params) {
    const { server_max_window_bits: server, client_max_window_bits: client }
        = params;

    return [...server ?? [], ...client ?? []]
            .some(value => value !== true && !/^[1-9]\d?$/.test(value))
        || server && server[0] < BITS;
}


// the answer of ws, as the program would write it

function stock(s) {
    const list = listed(s);
    let offers;

    if (list === '') {
        return 'declined';
    }

    try {
        offers = extension.parse(list)[NAME] ?? [];
    } catch (e) {
        return 'malformed';
    }

    for (const params of offers) {

        if (declinedOnPurpose(params)) {
            continue;
        }

        try {
            new PerMessageDeflate({ isServer: true }).accept([{ ...params }]);
        } catch (e) {
            continue;
        }

        return `${NAME}; server_no_context_takeover; client_no_context_takeover`
            + (params.server_max_window_bits
                ? `; server_max_window_bits=${BITS}` : '');
    }

    return 'declined';
}


function run(lines) {
    const { stdout, status } = spawnSync(process.argv[2],
        { input: lines.map(s => s + '\n').join(''), maxBuffer: 1 << 28 });

    return status === 0 ? stdout.toString().split('\n').slice(0, -1) : [];
}


const hex = s => Buffer.from(s).toString('hex');

let number = 0;

function check(wrong, name) {
    wrong.slice(0, 20).forEach(text => console.log('# ' + text));
    console.log(`${wrong.length ? 'not ' : ''}ok ${++number} - ${name}`);
}


function checkOffers() {
    const offers = Array.from({ length: 30000 }, offer);
    const answers = run(offers.map(s => 'o' + hex(s)));
    const counts = { accepted: 0, declined: 0, malformed: 0 };
    const wrong = [], refused = [];

    offers.forEach((s, i) => {
        const want = stock(s);

        counts[want.startsWith(NAME) ? 'accepted' : want]++;

        if (answers[i] !== want) {
            wrong.push(`${JSON.stringify(s)}: got ${answers[i]}, want ${want}`);
        }
    });

    for (const answer of new Set(answers.filter(s => s?.startsWith(NAME)))) {
        try {
            new PerMessageDeflate({ serverMaxWindowBits: 15 })
                .accept(extension.parse(answer)[NAME]);
        } catch (e) {
            refused.push(`${answer}: ${e.message}`);
        }
    }

    check(wrong, `${offers.length} offers are answered alike`);
    check(refused, 'ws as the client takes the answers');
    check(Object.values(counts).some(n => n < 1000) ? [counts] : [],
        'all kinds are among them');
}


function peer(isServer) {
    const deflate = new PerMessageDeflate({ isServer, threshold: 0 });

    deflate.accept([{ server_no_context_takeover: [true],
        client_no_context_takeover: [true], ...isServer ? {}
            : { server_max_window_bits: [String(BITS)] } }]);

    return {
        compress: promisify(deflate.compress.bind(deflate)),
        decompress: promisify(deflate.decompress.bind(deflate)),
    };
}


async function checkMessages() {
    const client = peer(false);
    const messages = Array.from({ length: 300 }, (x, i) =>
        Buffer.from(Array.from({ length: i < 200 ? i : i * 40 },
            () => i % 3 ? 97 + random(i % 7 + 1) : random(256))));

    const packed = run(messages.map(m => 'c' + m.toString('hex')));
    const wrong = [];

    for (const [i, message] of messages.entries()) {
        const got = await client.decompress(Buffer.from(packed[i], 'hex'),
            true);

        if (!got.equals(message)) {
            wrong.push(`message ${i}`);
        }
    }

    check(wrong, `ws inflates ${messages.length} messages`);

    const sent = [];

    for (const message of messages) {
        sent.push(await client.compress(message, true));
    }

    const inflated = run(sent.map(m => 'i' + m.toString('hex')));

    check(messages.filter((m, i) => inflated[i] !== m.toString('hex'))
        .map(m => m.toString('hex')), 'and what it compresses is inflated');
}


checkOffers();
checkMessages().then(() => console.log(`1..${number}`));
