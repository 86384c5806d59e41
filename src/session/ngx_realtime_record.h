
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The records of connection state recovery, as ngx_realtime_record.c keeps
 * them and ngx_realtime_recovery.c reads them.
 */

#ifndef _NGX_REALTIME_RECORD_H_INCLUDED_
#define _NGX_REALTIME_RECORD_H_INCLUDED_


#include "ngx_realtime_session.h"
#include "ngx_realtime_slot.h"


#define NGX_REALTIME_RECORD_LIST     128
#define NGX_REALTIME_RECORD_SECRET   12


typedef enum {
    NGX_REALTIME_RECORD_FREE = 0,
    NGX_REALTIME_RECORD_FILLING,
    NGX_REALTIME_RECORD_LIVE,
    NGX_REALTIME_RECORD_AWAY
} ngx_realtime_record_e;


struct ngx_realtime_record_s {
    uint64_t                   state;      /* atomic */
    uint64_t                   start;
    uint64_t                   seen;       /* AWAY: when it was last sure to
                                              have had everything, zone time */
    uint64_t                   until;      /* AWAY: free after, zone time */
    uint32_t                   window;     /* s */
    uint32_t                   hash;       /* of its room */
    uint32_t                   nsp;        /* hash of the name */
    uint16_t                   place;      /* of the location */
    uint8_t                    user_len;
    u_char                     secret[NGX_REALTIME_RECORD_SECRET];
    u_char                     sid[NGX_REALTIME_SID_LEN];
    u_char                     user[NGX_REALTIME_USER_MAX];
    uint32_t                   list[NGX_REALTIME_RECORD_LIST];  /* atomic */
};


typedef struct ngx_realtime_records_sh_s  ngx_realtime_records_sh_t;

typedef struct {
    ngx_realtime_records_sh_t  *sh;
    ngx_realtime_record_t      *first;     /* the array */
    ngx_realtime_socket_t     **sockets;   /* of this worker, by record */
} ngx_realtime_records_t;


extern ngx_realtime_records_t  ngx_realtime_records;


/* the record that pid names, and the secret that it had better have; NULL:
   no such record */
ngx_realtime_record_t *ngx_realtime_record_of_pid(ngx_str_t *pid,
    u_char *secret);

ngx_uint_t ngx_realtime_record_is_free(ngx_realtime_record_t *rec,
    uint64_t state);

/* sk's from now on: the record was in this state, and is LIVE; NGX_DECLINED:
   it was not */
ngx_int_t ngx_realtime_record_take(ngx_realtime_record_t *rec,
    uint64_t state, ngx_realtime_socket_t *sk);

/* NGX_DECLINED: the state was not old any more */
ngx_int_t ngx_realtime_record_change(ngx_realtime_record_t *rec,
    uint64_t old, uint64_t new);

/* the number of the oldest entry that is believed; the newest is count - 1 */
uint64_t ngx_realtime_record_oldest(uint64_t state);

/* whether the list has it */
ngx_uint_t ngx_realtime_record_has(ngx_realtime_record_t *rec,
    uint32_t place);


#define NGX_REALTIME_RECORD_COUNT      0xffffffffULL
#define NGX_REALTIME_RECORD_OWNER      0x3fffffff00000000ULL
#define NGX_REALTIME_RECORD_HOLD       0x00ffffff00000000ULL
#define NGX_REALTIME_RECORD_HOLD_ONE   0x0000000100000000ULL

#define ngx_realtime_record_kind(state)   ((state) >> 62)
#define ngx_realtime_record_slot(state)   (((state) >> 56) & 63)
#define ngx_realtime_record_count(state)  ((state) & NGX_REALTIME_RECORD_COUNT)
#define ngx_realtime_record_owner(state)  ((state) & NGX_REALTIME_RECORD_OWNER)
#define ngx_realtime_record_state(kind, owner, count)                         \
    ((uint64_t) (kind) << 62 | (owner) | (count))

#define ngx_realtime_record_load(rec)                                         \
    __atomic_load_n(&(rec)->state, __ATOMIC_SEQ_CST)

#define ngx_realtime_record_number(rec)                                       \
    ((ngx_uint_t) ((rec) - ngx_realtime_records.first))


#endif /* _NGX_REALTIME_RECORD_H_INCLUDED_ */
