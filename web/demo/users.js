// Copyright (C) ngx_realtime contributors

/*
 * Prints the users of the demo with a token of a week each, as JSON.  They
 * are the people of sql/seed_demo.sql.
 *
 *   node web/demo/users.js KEY_FILE
 */

import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

const key = readFileSync(process.argv[2]);
const now = Math.floor(Date.now() / 1000);
const encode = (value) => Buffer.from(value).toString('base64url');

function token(id) {
  const text = [
    { alg: 'HS256', typ: 'JWT' },
    { id, iat: now, exp: now + 7 * 24 * 3600 },
  ]
    .map((part) => encode(JSON.stringify(part)))
    .join('.');

  const signature = createHmac('sha256', key).update(text);

  return `${text}.${signature.digest('base64url')}`;
}

const users = [
  { id: '11111111-1111-4111-8111-111111111111', name: 'Alice' },
  { id: '22222222-2222-4222-8222-222222222222', name: 'Bob' },
  { id: '33333333-3333-4333-8333-333333333333', name: 'Carol' },
  { id: '44444444-4444-4444-8444-444444444444', name: 'Dave' },
].map((user) => ({ ...user, token: token(user.id) }));

console.log(JSON.stringify(users));
