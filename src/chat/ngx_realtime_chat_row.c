
/*
 * Copyright (C) ngx_realtime contributors
 */


#include "ngx_realtime_chat_row.h"
#include "rt_json.h"


#define NGX_REALTIME_CHAT_ROW_WORD  sizeof("false")


/* a value of a row, asked of libpq once; data is NULL for NULL */

typedef struct {
    u_char                     *data;
    size_t                      len;
} ngx_realtime_chat_cell_t;


static size_t ngx_realtime_chat_row_size(
    const ngx_realtime_chat_row_shape_t *shape, PGresult *res, int row,
    ngx_realtime_chat_cell_t *cells);
static u_char *ngx_realtime_chat_row_write(u_char *p,
    const ngx_realtime_chat_row_shape_t *shape,
    ngx_realtime_chat_cell_t *cells);
static u_char *ngx_realtime_chat_row_value(u_char *p,
    ngx_realtime_chat_row_kind_e kind, ngx_realtime_chat_cell_t *cell);


static const ngx_realtime_chat_row_field_t
    ngx_realtime_chat_conversation_fields[] =
{
    { ngx_realtime_chat_row_key("id"), NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_CONVERSATION_ID },
    { ngx_realtime_chat_row_key("created_by"), NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_CONVERSATION_CREATED_BY },
    { ngx_realtime_chat_row_key("participant_id"),
      NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_CONVERSATION_PARTICIPANT_ID },
    { ngx_realtime_chat_row_key("title"), NGX_REALTIME_CHAT_ROW_TEXT,
      NGX_REALTIME_CONVERSATION_TITLE },
    { ngx_realtime_chat_row_key("created_at"), NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_CONVERSATION_CREATED_AT },
    { ngx_realtime_chat_row_key("updated_at"), NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_CONVERSATION_UPDATED_AT },
    { ngx_realtime_chat_row_key("last_message"), NGX_REALTIME_CHAT_ROW_TEXT,
      NGX_REALTIME_CONVERSATION_LAST_MESSAGE },
    { ngx_realtime_chat_row_key("last_message_at"),
      NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_CONVERSATION_LAST_MESSAGE_AT },
    { ngx_realtime_chat_row_key("unread_count"),
      NGX_REALTIME_CHAT_ROW_NUMBER,
      NGX_REALTIME_CONVERSATION_UNREAD_COUNT },
    { ngx_realtime_chat_row_key("other_user_id"),
      NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_CONVERSATION_OTHER_USER_ID }
};


const ngx_realtime_chat_row_shape_t  ngx_realtime_chat_conversation = {
    ngx_realtime_chat_conversation_fields,
    sizeof(ngx_realtime_chat_conversation_fields)
        / sizeof(ngx_realtime_chat_row_field_t)
};


static const ngx_realtime_chat_row_field_t
    ngx_realtime_chat_message_fields[] =
{
    { ngx_realtime_chat_row_key("id"), NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_MESSAGE_ID },
    { ngx_realtime_chat_row_key("conversation_id"),
      NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_MESSAGE_CONVERSATION_ID },
    { ngx_realtime_chat_row_key("sender_id"), NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_MESSAGE_SENDER_ID },
    { ngx_realtime_chat_row_key("content"), NGX_REALTIME_CHAT_ROW_TEXT,
      NGX_REALTIME_MESSAGE_CONTENT },
    { ngx_realtime_chat_row_key("client_id"), NGX_REALTIME_CHAT_ROW_TEXT,
      NGX_REALTIME_MESSAGE_CLIENT_ID },
    { ngx_realtime_chat_row_key("read_at"), NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_MESSAGE_READ_AT },
    { ngx_realtime_chat_row_key("delivered_at"),
      NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_MESSAGE_DELIVERED_AT },
    { ngx_realtime_chat_row_key("created_at"), NGX_REALTIME_CHAT_ROW_PLAIN,
      NGX_REALTIME_MESSAGE_CREATED_AT },
    { ngx_realtime_chat_row_key("is_read"), NGX_REALTIME_CHAT_ROW_PRESENT,
      NGX_REALTIME_MESSAGE_READ_AT }
};


const ngx_realtime_chat_row_shape_t  ngx_realtime_chat_message = {
    ngx_realtime_chat_message_fields,
    sizeof(ngx_realtime_chat_message_fields)
        / sizeof(ngx_realtime_chat_row_field_t)
};


ngx_int_t
ngx_realtime_chat_row_object(ngx_realtime_call_t *call,
    const ngx_realtime_chat_row_shape_t *shape, PGresult *res, int row)
{
    u_char                    *p;
    size_t                     size;
    ngx_realtime_chat_cell_t  *cells;

    cells = ngx_palloc(call->pool,
                       shape->n * sizeof(ngx_realtime_chat_cell_t));
    if (cells == NULL) {
        return NGX_ERROR;
    }

    size = ngx_realtime_chat_row_size(shape, res, row, cells);

    p = ngx_pnalloc(call->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    call->result.data = p;
    call->result.len = ngx_realtime_chat_row_write(p, shape, cells) - p;

    return NGX_OK;
}


ngx_int_t
ngx_realtime_chat_row_array(ngx_realtime_call_t *call,
    const ngx_realtime_chat_row_shape_t *shape, PGresult *res, int first,
    int n, int step)
{
    int                        i;
    u_char                    *p;
    size_t                     size;
    ngx_realtime_chat_cell_t  *cells;

    cells = ngx_palloc(call->pool,
                       n * shape->n * sizeof(ngx_realtime_chat_cell_t));
    if (cells == NULL) {
        return NGX_ERROR;
    }

    size = sizeof("[]") - 1;

    for (i = 0; i < n; i++) {
        size += ngx_realtime_chat_row_size(shape, res, first + i * step,
                                           &cells[i * shape->n])
                + 1;
    }

    p = ngx_pnalloc(call->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    call->result.data = p;

    *p++ = '[';

    for (i = 0; i < n; i++) {
        if (i != 0) {
            *p++ = ',';
        }

        p = ngx_realtime_chat_row_write(p, shape, &cells[i * shape->n]);
    }

    *p++ = ']';

    call->result.len = p - call->result.data;

    return NGX_OK;
}


/* at least what the row needs; its values into cells */

static size_t
ngx_realtime_chat_row_size(const ngx_realtime_chat_row_shape_t *shape,
    PGresult *res, int row, ngx_realtime_chat_cell_t *cells)
{
    size_t                                size, len;
    ngx_uint_t                            i;
    ngx_realtime_chat_cell_t             *cell;
    const ngx_realtime_chat_row_field_t  *f;

    size = sizeof("{}") - 1;

    for (i = 0; i < shape->n; i++) {
        f = &shape->fields[i];
        cell = &cells[i];

        len = PQgetlength(res, row, f->column);

        cell->len = len;
        cell->data = len == 0 && PQgetisnull(res, row, f->column)
                     ? NULL : (u_char *) PQgetvalue(res, row, f->column);

        if (f->kind == NGX_REALTIME_CHAT_ROW_TEXT && len) {
            len = rt_json_escaped(cell->data, len);

        } else if (f->kind == NGX_REALTIME_CHAT_ROW_JSON && len) {
            len = rt_json_inert_len(cell->data, len);
        }

        size += f->key.len + len + NGX_REALTIME_CHAT_ROW_WORD;
    }

    return size;
}


static u_char *
ngx_realtime_chat_row_write(u_char *p,
    const ngx_realtime_chat_row_shape_t *shape,
    ngx_realtime_chat_cell_t *cells)
{
    u_char                               *start;
    ngx_uint_t                            i;
    const ngx_realtime_chat_row_field_t  *f;

    start = p;

    for (i = 0; i < shape->n; i++) {
        f = &shape->fields[i];

        p = ngx_cpymem(p, f->key.data, f->key.len);
        p = ngx_realtime_chat_row_value(p, f->kind, &cells[i]);
    }

    *start = '{';
    *p++ = '}';

    return p;
}


static u_char *
ngx_realtime_chat_row_value(u_char *p, ngx_realtime_chat_row_kind_e kind,
    ngx_realtime_chat_cell_t *cell)
{
    if (kind == NGX_REALTIME_CHAT_ROW_PRESENT) {
        return cell->data ? ngx_cpymem(p, "true", sizeof("true") - 1)
                          : ngx_cpymem(p, "false", sizeof("false") - 1);
    }

    if (cell->data == NULL) {
        return ngx_cpymem(p, "null", sizeof("null") - 1);
    }

    if (kind == NGX_REALTIME_CHAT_ROW_NUMBER) {
        return ngx_cpymem(p, cell->data, cell->len);
    }

    if (kind == NGX_REALTIME_CHAT_ROW_JSON) {
        return rt_json_inert(p, cell->data, cell->len);
    }

    *p++ = '"';

    if (kind == NGX_REALTIME_CHAT_ROW_TEXT) {
        p = rt_json_escape(p, cell->data, cell->len);

    } else {
        p = ngx_cpymem(p, cell->data, cell->len);
    }

    *p++ = '"';

    return p;
}
