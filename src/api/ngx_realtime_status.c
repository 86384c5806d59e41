
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_slot.h"
#include "ngx_realtime_status.h"


#define NGX_REALTIME_STATUS_LINE  256      /* bytes of one counter, at most */


typedef u_char *(*ngx_realtime_status_pt)(u_char *p, u_char *last);


static ngx_int_t ngx_realtime_status_send(ngx_http_request_t *r,
    const char *type, size_t size, ngx_realtime_status_pt print);
static u_char *ngx_realtime_status_json(u_char *p, u_char *last);
static u_char *ngx_realtime_status_prometheus(u_char *p, u_char *last);
static uint64_t ngx_realtime_status_total(ngx_uint_t counter);


ngx_int_t
ngx_realtime_status_json_handler(ngx_http_request_t *r)
{
    return ngx_realtime_status_send(r, "application/json",
                                    (NGX_REALTIME_C_MAX + 2)
                                    * NGX_REALTIME_STATUS_LINE
                                    + NGX_REALTIME_SLOTS
                                      * NGX_REALTIME_STATUS_LINE,
                                    ngx_realtime_status_json);
}


ngx_int_t
ngx_realtime_status_prometheus_handler(ngx_http_request_t *r)
{
    return ngx_realtime_status_send(r, "text/plain; version=0.0.4",
                                    (NGX_REALTIME_C_MAX + 2)
                                    * 2 * NGX_REALTIME_STATUS_LINE,
                                    ngx_realtime_status_prometheus);
}


static ngx_int_t
ngx_realtime_status_send(ngx_http_request_t *r, const char *type, size_t size,
    ngx_realtime_status_pt print)
{
    ngx_int_t    rc;
    ngx_buf_t   *b;
    ngx_chain_t  out;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    if (ngx_realtime_zone_sh == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    b = ngx_create_temp_buf(r->pool, size);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last = print(b->pos, b->end);
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = b->last - b->pos;
    r->headers_out.content_type.data = (u_char *) type;
    r->headers_out.content_type.len = ngx_strlen(type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static u_char *
ngx_realtime_status_json(u_char *p, u_char *last)
{
    ngx_uint_t               i;
    ngx_realtime_mask_t      live;
    ngx_realtime_slot_sh_t  *slot;

    p = ngx_slprintf(p, last, "{\"version\":\"%s\",\"slot\":%i,\"boots\":%uL",
                     NGX_REALTIME_VERSION, ngx_realtime_slot,
                     ngx_realtime_zone_sh->boots);

    for (i = 0; i < NGX_REALTIME_C_MAX; i++) {
        p = ngx_slprintf(p, last, ",\"%V\":%uL",
                         &ngx_realtime_counter_table[i].name,
                         ngx_realtime_status_total(i));
    }

    p = ngx_slprintf(p, last, ",\"slots\":[");

    for (live = ngx_realtime_slot_live_mask(); live; live &= live - 1) {

        i = __builtin_ctzll(live);
        slot = &ngx_realtime_zone_sh->slots[i];

        p = ngx_slprintf(p, last, "{\"slot\":%ui,\"pid\":%P,"
                         "\"generation\":%uL,\"connections\":%uL,"
                         "\"sockets\":%uL}%s", i, slot->pid, slot->generation,
                         slot->counters[NGX_REALTIME_C_connections],
                         slot->counters[NGX_REALTIME_C_sockets],
                         (live & (live - 1)) ? "," : "");
    }

    return ngx_slprintf(p, last, "]}\n");
}


/* the text format that Prometheus scrapes, exposition format 0.0.4 */

static u_char *
ngx_realtime_status_prometheus(u_char *p, u_char *last)
{
    ngx_uint_t                     i;
    const char                    *suffix;
    const ngx_realtime_counter_t  *c;

    for (i = 0; i < NGX_REALTIME_C_MAX; i++) {

        c = &ngx_realtime_counter_table[i];
        suffix = c->gauge ? "" : "_total";

        p = ngx_slprintf(p, last,
                         "# HELP ngx_realtime_%V%s %V\n"
                         "# TYPE ngx_realtime_%V%s %s\n"
                         "ngx_realtime_%V%s %uL\n",
                         &c->name, suffix, &c->help,
                         &c->name, suffix, c->gauge ? "gauge" : "counter",
                         &c->name, suffix, ngx_realtime_status_total(i));
    }

    return p;
}


static uint64_t
ngx_realtime_status_total(ngx_uint_t counter)
{
    uint64_t    total;
    ngx_uint_t  i;

    total = 0;

    for (i = 0; i < NGX_REALTIME_SLOTS; i++) {
        total += ngx_realtime_zone_sh->slots[i].counters[counter];
    }

    return total;
}
