// Copyright (C) ngx_realtime contributors

/* ngx-realtime/notifications: toasts and the bell */

export {
  NotificationBell,
  type NotificationBellProps,
} from './ui/NotificationBell.tsx';
export {
  RealtimeNotifications,
  type RealtimeNotificationsProps,
} from './ui/RealtimeNotifications.tsx';
