// Copyright (C) ngx_realtime contributors

/* ngx-realtime/server: what a back end calls; no browser, no dependency */

export * from './server/service.ts';
