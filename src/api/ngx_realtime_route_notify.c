
/*
 * Copyright (C) ngx_realtime contributors
 */

/* The routes of "realtime_notifications". */


#include "ngx_realtime_route.h"
#include "ngx_realtime_chat_notify.h"


static void ngx_realtime_route_notes(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
static void ngx_realtime_route_notes_unread(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
static void ngx_realtime_route_note_read(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
static void ngx_realtime_route_notes_read_all(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);
static void ngx_realtime_route_note_delete(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call);


const ngx_realtime_route_t  ngx_realtime_notify_routes[] = {

    { NGX_HTTP_GET, ngx_string("/notifications"),
      ngx_realtime_route_notes, NGX_REALTIME_RATE_NONE },

    { NGX_HTTP_GET, ngx_string("/notifications/unread/count"),
      ngx_realtime_route_notes_unread, NGX_REALTIME_RATE_NONE },

    { NGX_HTTP_PUT, ngx_string("/notifications/read-all"),
      ngx_realtime_route_notes_read_all, NGX_REALTIME_RATE_READ },

    { NGX_HTTP_PUT, ngx_string("/notifications/:/read"),
      ngx_realtime_route_note_read, NGX_REALTIME_RATE_READ },

    { NGX_HTTP_DELETE, ngx_string("/notifications/:"),
      ngx_realtime_route_note_delete, NGX_REALTIME_RATE_READ },

    { 0, ngx_null_string, NULL, NGX_REALTIME_RATE_NONE }
};


static void
ngx_realtime_route_notes(ngx_realtime_rest_t *rest, ngx_realtime_call_t *call)
{
    ngx_str_t  before;

    ngx_realtime_route_arg(rest, "before", &before);

    ngx_realtime_chat_notify_list(call,
                                  ngx_realtime_route_number(rest, "limit"),
                                  &before);
}


static void
ngx_realtime_route_notes_unread(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call)
{
    ngx_realtime_chat_notify_count(call);
}


static void
ngx_realtime_route_note_read(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call)
{
    ngx_realtime_chat_notify_see(call, &rest->id, 0);
}


static void
ngx_realtime_route_notes_read_all(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call)
{
    ngx_realtime_chat_notify_see_all(call);
}


static void
ngx_realtime_route_note_delete(ngx_realtime_rest_t *rest,
    ngx_realtime_call_t *call)
{
    ngx_realtime_chat_notify_dismiss(call, &rest->id);
}
