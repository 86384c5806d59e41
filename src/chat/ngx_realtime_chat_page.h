
/*
 * Copyright (C) ngx_realtime contributors
 */

/* Pages: how long they are and where the next one begins. */

#ifndef _NGX_REALTIME_CHAT_PAGE_H_INCLUDED_
#define _NGX_REALTIME_CHAT_PAGE_H_INCLUDED_


#include "ngx_realtime_chat.h"


/* 0: the default; what is outside of 1 .. max is clamped */

int ngx_realtime_chat_page_limit(ngx_int_t limit, int standard, int max);

/*
 * call->extra: "pagination" with hasMore and the place of the next page, both
 * told by next, which needs no escaping; len 0: this page was the last.
 */

ngx_int_t ngx_realtime_chat_page_next(ngx_realtime_call_t *call,
    const char *name, ngx_str_t *next);


#endif /* _NGX_REALTIME_CHAT_PAGE_H_INCLUDED_ */
