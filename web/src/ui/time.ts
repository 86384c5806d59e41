// Copyright (C) ngx_realtime contributors

/* Dates for people: the browser's own, in the language of the strings. */

import type { Strings } from './strings.ts';

const formats = new Map<string, Intl.DateTimeFormat>();

/* the region that the person has chosen, where the language is the same */

function localeOf({ locale }: Strings): string {
  return (
    navigator.languages.find((one) => one.split('-')[0] === locale) ?? locale
  );
}

function format(
  text: Strings,
  options: Intl.DateTimeFormatOptions,
): Intl.DateTimeFormat {
  const locale = localeOf(text);
  const key = locale + JSON.stringify(options);
  let found = formats.get(key);

  if (!found) {
    found = new Intl.DateTimeFormat(locale, options);
    formats.set(key, found);
  }

  return found;
}

export function clock(text: Strings, iso: string): string {
  const date = new Date(iso);

  return Number.isNaN(date.getTime())
    ? ''
    : format(text, { timeStyle: 'short' }).format(date);
}

/* the day of the person who looks, not that of UTC */

export function dayOf(iso: string): string {
  return new Date(iso).toDateString();
}

function daysAgo(iso: string): number {
  const day = new Date(iso).setHours(0, 0, 0, 0);

  return Math.round((new Date().setHours(0, 0, 0, 0) - day) / 86_400_000);
}

export function dayLabel(text: Strings, iso: string): string {
  const ago = daysAgo(iso);

  if (ago === 0 || ago === 1) {
    return ago === 0 ? text.today : text.yesterday;
  }

  return Number.isNaN(ago)
    ? ''
    : format(text, {
        weekday: ago > 0 && ago < 7 ? 'long' : undefined,
        day: 'numeric',
        month: 'long',
        year: ago > 300 ? 'numeric' : undefined,
      }).format(new Date(iso));
}

/* short, for lists: the time of today, the day of any other */

export function moment(text: Strings, iso: string): string {
  return daysAgo(iso) === 0
    ? clock(text, iso)
    : format(text, { day: 'numeric', month: 'short' }).format(new Date(iso));
}

export function relative(text: Strings, iso: string): string {
  const minutes = Math.round((Date.parse(iso) - Date.now()) / 60_000);
  const words = new Intl.RelativeTimeFormat(localeOf(text), {
    numeric: 'auto',
  });

  if (Number.isNaN(minutes)) {
    return '';
  }

  if (minutes > -60) {
    return words.format(Math.min(minutes, 0), 'minute');
  }

  return minutes > -24 * 60
    ? words.format(Math.round(minutes / 60), 'hour')
    : words.format(Math.round(minutes / 1440), 'day');
}
