// Copyright (C) ngx_realtime contributors

/* UUID version 7 (RFC 9562): the ids of one tab sort by the order of making */

let last = 0;

export function uuid7(now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const at = (i: number) => bytes[i] ?? 0;

  last = Math.max(now, last + 1);

  for (let i = 0, ms = last; i < 6; i++) {
    bytes[5 - i] = ms % 256;
    ms = Math.floor(ms / 256);
  }

  bytes.set([0x70 | (at(6) & 0x0f)], 6);
  bytes.set([0x80 | (at(8) & 0x3f)], 8);

  return Array.from(
    bytes,
    (byte, i) =>
      ([4, 6, 8, 10].includes(i) ? '-' : '') +
      byte.toString(16).padStart(2, '0'),
  ).join('');
}
