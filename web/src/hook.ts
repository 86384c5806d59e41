// Copyright (C) ngx_realtime contributors

/* ngx-realtime/hook: the hook alone */

export { createRealtime } from './client/realtime.ts';
export { RealtimeProvider } from './react/RealtimeProvider.tsx';
export { type UseRealtime, useRealtime } from './react/useRealtime.ts';
