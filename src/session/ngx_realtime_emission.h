
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The way out of an event that is to be acknowledged: see ngx_realtime_acks.h
 * for the picture, ngx_realtime_emission.c for how it goes.
 */

#ifndef _NGX_REALTIME_EMISSION_H_INCLUDED_
#define _NGX_REALTIME_EMISSION_H_INCLUDED_


#include "ngx_realtime_acks.h"
#include "ngx_realtime_bus.h"


/* EMITTED: this, and the sids */

typedef struct {
    ngx_realtime_ref_t         call;
    uint32_t                   n;          /* sids */
    uint32_t                   more;       /* sockets that are not listed */
} ngx_realtime_emitted_t;


void ngx_realtime_emission_init(void);

/* NULL: no memory */
ngx_realtime_msg_t *ngx_realtime_emission_message(
    ngx_realtime_acks_emit_t *emit, const ngx_realtime_due_t *due);

/* the other workers, which it returns */
ngx_realtime_mask_t ngx_realtime_emission_tell(ngx_realtime_acks_emit_t *emit,
    ngx_realtime_msg_t *m);

/* the sids of those here who are to get it, until the next call */
u_char *ngx_realtime_emission_list(ngx_str_t *user, ngx_str_t *except,
    ngx_realtime_emitted_t *emitted);

/* to those here, once the others are told */
void ngx_realtime_emission_deliver(ngx_realtime_acks_emit_t *emit,
    ngx_realtime_msg_t *m);


#endif /* _NGX_REALTIME_EMISSION_H_INCLUDED_ */
