
/*
 * Copyright (C) ngx_realtime contributors
 */

/* Rows of Postgres as JSON, with the names of the contract. */

#ifndef _NGX_REALTIME_CHAT_ROW_H_INCLUDED_
#define _NGX_REALTIME_CHAT_ROW_H_INCLUDED_


#include "ngx_realtime_chat.h"


typedef enum {
    NGX_REALTIME_CHAT_ROW_PLAIN = 0,   /* a string without a character to
                                          escape: an id, a time */
    NGX_REALTIME_CHAT_ROW_TEXT,
    NGX_REALTIME_CHAT_ROW_NUMBER,
    NGX_REALTIME_CHAT_ROW_JSON,
    NGX_REALTIME_CHAT_ROW_PRESENT      /* a boolean: not NULL */
} ngx_realtime_chat_row_kind_e;


typedef struct {
    ngx_str_t                      key;      /* ,"name": */
    ngx_realtime_chat_row_kind_e   kind;
    int                            column;
} ngx_realtime_chat_row_field_t;


typedef struct {
    const ngx_realtime_chat_row_field_t  *fields;
    ngx_uint_t                            n;
} ngx_realtime_chat_row_shape_t;


#define ngx_realtime_chat_row_key(name)  ngx_string(",\"" name "\":")


/* places of the columns that statements return for a conversation */

enum {
    NGX_REALTIME_CONVERSATION_ID = 0,
    NGX_REALTIME_CONVERSATION_CREATED_BY,
    NGX_REALTIME_CONVERSATION_PARTICIPANT_ID,
    NGX_REALTIME_CONVERSATION_TITLE,
    NGX_REALTIME_CONVERSATION_CREATED_AT,
    NGX_REALTIME_CONVERSATION_UPDATED_AT,
    NGX_REALTIME_CONVERSATION_LAST_MESSAGE,
    NGX_REALTIME_CONVERSATION_LAST_MESSAGE_AT,
    NGX_REALTIME_CONVERSATION_UNREAD_COUNT,
    NGX_REALTIME_CONVERSATION_OTHER_USER_ID,
    NGX_REALTIME_CONVERSATION_CURSOR       /* updated_at in microseconds */
};


/* and for a message */

enum {
    NGX_REALTIME_MESSAGE_ID = 0,
    NGX_REALTIME_MESSAGE_CONVERSATION_ID,
    NGX_REALTIME_MESSAGE_SENDER_ID,
    NGX_REALTIME_MESSAGE_CONTENT,
    NGX_REALTIME_MESSAGE_CLIENT_ID,
    NGX_REALTIME_MESSAGE_READ_AT,
    NGX_REALTIME_MESSAGE_DELIVERED_AT,
    NGX_REALTIME_MESSAGE_CREATED_AT,
    NGX_REALTIME_MESSAGE_OTHER             /* of a send: the recipient */
};


/* what marks messages returns */

enum {
    NGX_REALTIME_MARKED_OTHER = 0,         /* who sent them */
    NGX_REALTIME_MARKED_COUNT,
    NGX_REALTIME_MARKED_NEWEST             /* NULL: none */
};


extern const ngx_realtime_chat_row_shape_t  ngx_realtime_chat_conversation;
extern const ngx_realtime_chat_row_shape_t  ngx_realtime_chat_message;


/* call->result; NGX_OK, NGX_ERROR: no memory */

ngx_int_t ngx_realtime_chat_row_object(ngx_realtime_call_t *call,
    const ngx_realtime_chat_row_shape_t *shape, PGresult *res, int row);

/* n rows from first on; step is 1 or -1 */

ngx_int_t ngx_realtime_chat_row_array(ngx_realtime_call_t *call,
    const ngx_realtime_chat_row_shape_t *shape, PGresult *res, int first,
    int n, int step);


#endif /* _NGX_REALTIME_CHAT_ROW_H_INCLUDED_ */
