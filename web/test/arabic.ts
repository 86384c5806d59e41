// Copyright (C) ngx_realtime contributors

import type { Strings } from '../src/index.ts';

/* some words of a language that is written from right to left */

export const ar: Partial<Strings> = {
  locale: 'ar',
  dir: 'rtl',
  online: 'متصل',
  offline: 'غير متصل',
};
