
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What a back end says: requests to the server-side API over connections that
 * stay, and their replies.  A request is made once, its number is written into
 * it before it is sent; requests may follow one another, replies come in their
 * order.
 */

#define _GNU_SOURCE

#include <stdlib.h>
#include <string.h>

#include "rtload.h"


#define RTL_API_HEAD       256


static size_t rtl_api_body(const rtl_call_t *call, char *out, size_t size,
    size_t *content);


/*
 * "content" of the call is put where the receivers look for it; its offset is
 * told.  The event that "emit" is asked for is what a notification looks like,
 * byte for byte as long.  NULL: no memory.
 */

char *
rtl_api_request(const rtl_t *rtl, const rtl_call_t *call, size_t *len,
    size_t *content)
{
    int      n;
    char    *request, *body;
    size_t   size;

    size = 1024 + strlen(call->content)
           + (size_t) call->users * (RTL_ID_LEN + 3);

    request = malloc(RTL_API_HEAD + size);
    body = malloc(size);

    if (request == NULL || body == NULL) {
        free(request);
        free(body);
        return NULL;
    }

    size = rtl_api_body(call, body, size, content);

    n = snprintf(request, RTL_API_HEAD,
                 "POST /realtime/api/");

    if (call->kind == RTL_CALL_EMIT) {
        n += snprintf(request + n, RTL_API_HEAD - (size_t) n,
                      "rooms/user:" RTL_USER "/emit", call->first);

    } else {
        n += snprintf(request + n, RTL_API_HEAD - (size_t) n,
                      "notifications");
    }

    n += snprintf(request + n, RTL_API_HEAD - (size_t) n,
                  " HTTP/1.1\r\n"
                  "Host: 127.0.0.1:%u\r\n"
                  "Content-Type: application/json\r\n"
                  "Content-Length: %zu\r\n\r\n", rtl->conf.port, size);

    memcpy(request + n, body, size);
    free(body);

    *len = (size_t) n + size;
    *content += (size_t) n;

    return request;
}


static size_t
rtl_api_body(const rtl_call_t *call, char *out, size_t size, size_t *content)
{
    size_t    n;
    unsigned  i;

    if (call->kind == RTL_CALL_EMIT) {
        n = (size_t) snprintf(out, size, "{\"event\":\"notification\","
                              "\"payload\":{\"id\":\"" RTL_USER "\","
                              "\"type\":\"bench\",\"title\":\"T\","
                              "\"message\":\"", call->first);

    } else {
        n = (size_t) snprintf(out, size, "{\"userIds\":[");

        for (i = 0; i < call->users; i++) {
            n += (size_t) snprintf(out + n, size - n, "%s\"" RTL_USER "\"",
                                   i ? "," : "", call->first + i);
        }

        n += (size_t) snprintf(out + n, size - n, "],\"type\":\"bench\","
                               "\"title\":\"T\",%s\"message\":\"",
                               call->kind == RTL_CALL_VOLATILE
                               ? "\"volatile\":true," : "");
    }

    *content = n;

    n += (size_t) snprintf(out + n, size - n, "%s\"%s}", call->content,
                           call->kind == RTL_CALL_EMIT
                           ? ",\"timestamp\":\"2026-01-01T00:00:00.000Z\"}"
                           : "");

    return n;
}


/* a reply, once it is all there: how many bytes it has; each must be a 202 */

size_t
rtl_api_reply(rtl_t *rtl, rtl_conn_t *c, const char *p, size_t len)
{
    size_t       size;
    const char  *end, *length;

    static const char  header[] = "\r\nContent-Length: ";

    end = memmem(p, len, "\r\n\r\n", 4);

    if (end == NULL) {
        return 0;
    }

    end += 4;
    length = memmem(p, (size_t) (end - p), header, sizeof(header) - 1);

    if (len < 12 || memcmp(p, "HTTP/1.1 202", 12) != 0 || length == NULL) {
        rtl_error(rtl, "reply: %.*s", len > 400 ? 400 : (int) len, p);
        rtl_conn_lost(rtl, c, "no 202 with a length");
        return 0;
    }

    size = (size_t) (end - p)
           + (size_t) strtoul(length + sizeof(header) - 1, NULL, 10);

    if (size > len) {
        return 0;
    }

    rtl->on_reply(rtl, c);

    return size;
}
