
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * POST /rooms/:/emit with "ackTimeout": the call ends when each socket that got
 * the event has acknowledged it, or the time is over.
 *
 *   emit        call->ctx = the ref of what collects the acks
 *   acked       the acks have come: done
 *   abandoned   the client has left before: nothing is collected any more
 */


#include "ngx_realtime_api.h"
#include "ngx_realtime_counter.h"
#include "rt_json.h"


static void ngx_realtime_api_ack_done(void *data,
    ngx_realtime_acked_t *acked);
static void ngx_realtime_api_ack_abandoned(ngx_realtime_call_t *call);


void
ngx_realtime_api_ack(ngx_realtime_call_t *call,
    ngx_realtime_acks_emit_t *emit)
{
    ngx_realtime_ref_t  *ref;

    ref = ngx_palloc(call->pool, sizeof(ngx_realtime_ref_t));
    if (ref == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    switch (ngx_realtime_acks_emit(emit, ngx_realtime_api_ack_done, call, ref))
    {
    case NGX_OK:
        ngx_realtime_count(api_emits);
        call->ctx = ref;
        call->abandoned = ngx_realtime_api_ack_abandoned;
        return;

    case NGX_BUSY:
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_BUSY);
        return;

    default:
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
    }
}


/* what clients wrote is passed on as it was, but never as HTML */

static void
ngx_realtime_api_ack_done(void *data, ngx_realtime_acked_t *acked)
{
    ngx_realtime_call_t  *call = data;

    u_char  *p;
    size_t   size;

    if (acked->failed) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_NO_ANSWER);
        return;
    }

    size = sizeof("{\"acks\":[],\"missing\":}") - 1 + NGX_INT_T_LEN
           + rt_json_inert_len(acked->list.data, acked->list.len);

    p = ngx_pnalloc(call->pool, size);
    if (p == NULL) {
        ngx_realtime_call_refuse(call, NGX_REALTIME_R_INTERNAL);
        return;
    }

    call->result.data = p;

    p = ngx_sprintf(p, "{\"acks\":[");
    p = rt_json_inert(p, acked->list.data, acked->list.len);
    p = ngx_sprintf(p, "],\"missing\":%ui}", acked->missing);

    call->result.len = p - call->result.data;

    ngx_realtime_call_done(call);
}


static void
ngx_realtime_api_ack_abandoned(ngx_realtime_call_t *call)
{
    ngx_realtime_ref_t  *ref;

    ref = call->ctx;

    ngx_realtime_acks_cancel(*ref);
    ngx_realtime_call_done(call);
}
