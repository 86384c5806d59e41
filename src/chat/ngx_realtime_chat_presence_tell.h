
/*
 * Copyright (C) ngx_realtime contributors
 */

/* Private to presence: telling the partners of a user. */

#ifndef _NGX_REALTIME_CHAT_PRESENCE_TELL_H_INCLUDED_
#define _NGX_REALTIME_CHAT_PRESENCE_TELL_H_INCLUDED_


#include "ngx_realtime_chat.h"
#include "ngx_realtime_partner.h"
#include "ngx_realtime_presence.h"
#include "rt_uuid7.h"


#define NGX_REALTIME_CHAT_PARTNERS  1000   /* of a user, at most: in SQL too */


typedef struct {
    u_char                     id[RT_UUID_BYTES];
    time_t                     seen;       /* by Postgres; 0: never */
} ngx_realtime_chat_partner_t;


/*
 * Rows of NGX_REALTIME_STMT_PARTNERS from *row on that are of this user, into
 * partners; *row is moved behind them.  Returns how many there are.
 */
ngx_uint_t ngx_realtime_chat_presence_rows(PGresult *res, int *row,
    const u_char *user, ngx_realtime_chat_partner_t *partners);

/* for the zone: what has just been read, if there are not too many */
void ngx_realtime_chat_presence_keep(const u_char *user, uint32_t version,
    ngx_realtime_chat_partner_t *partners, ngx_uint_t n);

/* the other direction; NGX_DECLINED: not in the zone */
ngx_int_t ngx_realtime_chat_presence_kept(const u_char *user,
    ngx_realtime_chat_partner_t *partners, ngx_uint_t *n);

/* those of them who are here are told what is known of the user now */
void ngx_realtime_chat_presence_tell(const u_char *user,
    ngx_realtime_chat_partner_t *partners, ngx_uint_t n);

/* the same to all of his partners, which settles what was untold */
void ngx_realtime_chat_presence_settled(const u_char *user,
    ngx_realtime_chat_partner_t *partners, ngx_uint_t n);

/* the same, and finds out first who they are */
void ngx_realtime_chat_presence_tell_all(const u_char *user);

/* as JSON, into p: up to NGX_REALTIME_CHAT_PRESENCE_LEN bytes */
#define NGX_REALTIME_CHAT_PRESENCE_LEN  128

u_char *ngx_realtime_chat_presence_print(u_char *p, const u_char *user,
    ngx_realtime_presence_view_t *view);

/* once a second, in every worker */
void ngx_realtime_chat_presence_sweep(void);

/* last times that are not in Postgres go there */
void ngx_realtime_chat_presence_save(void);


#endif /* _NGX_REALTIME_CHAT_PRESENCE_TELL_H_INCLUDED_ */
