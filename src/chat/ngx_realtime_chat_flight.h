
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Messages that are under way to Postgres, in the zone, for the day when their
 * worker does not hear how it ended: it died, or its connection did.
 *
 *   free --begin--> pending --end----> free         stored and published, or
 *                      |                            certainly not stored
 *                      +------doubt--> in doubt     maybe stored, and nobody
 *                      |                  |         was told
 *                 worker dies ------------+--claim--> free
 *
 * The sender repeats what was not acknowledged.  If Postgres has it already,
 * whoever serves the repeat claims it here: who gets it publishes it, and
 * nobody else ever does.  One that is still pending will be published by its
 * own worker, or come in doubt.
 *
 * A table of sets of eight; no lock.  When all of a set are pending, a message
 * flies without a record, and only a repeat after a failure would not be
 * delivered; one in doubt that nobody repeats is overwritten.
 */

#ifndef _NGX_REALTIME_CHAT_FLIGHT_H_INCLUDED_
#define _NGX_REALTIME_CHAT_FLIGHT_H_INCLUDED_


#include "ngx_realtime_zone.h"


#define NGX_REALTIME_FLIGHT_NONE  -1


/* zone part, see ngx_realtime_zone.h */
ngx_int_t ngx_realtime_chat_flight_create(ngx_realtime_zone_sh_t *sh,
    ngx_slab_pool_t *shpool, ngx_log_t *log);

/* ids are UUIDs of NGX_REALTIME_UUID_LEN characters; returns what end() and
   doubt() take, FLIGHT_NONE included */
ngx_int_t ngx_realtime_chat_flight_begin(u_char *id);
void ngx_realtime_chat_flight_end(ngx_int_t flight);
void ngx_realtime_chat_flight_doubt(ngx_int_t flight);

/* 1: the message is the caller's to publish */
ngx_uint_t ngx_realtime_chat_flight_claim(u_char *id);


#endif /* _NGX_REALTIME_CHAT_FLIGHT_H_INCLUDED_ */
