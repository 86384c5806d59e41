
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The socket of a libpq connection among nginx's.
 *
 * It belongs to libpq: it opens it, more than once when it tries several
 * addresses or falls back from TLS, and PQfinish() closes it.  The
 * ngx_connection_t around it is a guest that leaves before that.
 */

#include "ngx_realtime_pg_conn.h"

#include <poll.h>


/*
 * libpq may have closed its socket and opened another, and the kernel then
 * gives out the same number again: only the inode tells them apart.
 */

ngx_int_t
ngx_realtime_pg_sock_watch(ngx_realtime_pg_conn_t *pc)
{
    int                fd;
    struct stat        st;
    ngx_connection_t  *c;

    fd = PQsocket(pc->pg);

    if (fd == -1 || fstat(fd, &st) == -1) {
        return NGX_ERROR;
    }

    c = pc->connection;

    if (c && c->fd == fd && pc->inode == st.st_ino) {
        return NGX_OK;
    }

    ngx_realtime_pg_sock_forget(pc);

    c = ngx_get_connection(fd, pc->pool->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = pc;
    c->log = pc->pool->log;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
    c->start_time = ngx_current_msec;

    c->read->handler = ngx_realtime_pg_conn_event;
    c->write->handler = ngx_realtime_pg_conn_event;
    c->read->log = c->log;
    c->write->log = c->log;

    pc->connection = c;
    pc->inode = st.st_ino;

    if (ngx_add_conn && ngx_add_conn(c) != NGX_OK) {
        ngx_realtime_pg_sock_forget(pc);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* ngx_close_connection() less the closing, which is PQfinish()'s */

void
ngx_realtime_pg_sock_forget(ngx_realtime_pg_conn_t *pc)
{
    ngx_connection_t  *c;

    c = pc->connection;

    if (c == NULL) {
        return;
    }

    pc->connection = NULL;

    if (ngx_del_conn) {
        ngx_del_conn(c, NGX_CLOSE_EVENT);

    } else {
        if (c->read->active || c->read->disabled) {
            ngx_del_event(c->read, NGX_READ_EVENT, NGX_CLOSE_EVENT);
        }

        if (c->write->active || c->write->disabled) {
            ngx_del_event(c->write, NGX_WRITE_EVENT, NGX_CLOSE_EVENT);
        }
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    c->read->closed = 1;
    c->write->closed = 1;

    ngx_free_connection(c);

    c->fd = (ngx_socket_t) -1;
}


/*
 * With epoll, which was told once, these do nothing; with select and poll
 * they say each time what to wait for.
 */

ngx_int_t
ngx_realtime_pg_sock_rearm(ngx_realtime_pg_conn_t *pc, ngx_uint_t writes)
{
    ngx_event_t  *rev, *wev;

    rev = pc->connection->read;
    wev = pc->connection->write;

    rev->ready = 0;
    wev->ready = !writes;

    if (ngx_handle_read_event(rev, 0) != NGX_OK
        || ngx_handle_write_event(wev, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Is what PQconnectPoll() waits for there?  It may be without a further edge
 * to come, so the kernel is asked each time.
 */

ngx_uint_t
ngx_realtime_pg_sock_ready(ngx_realtime_pg_conn_t *pc)
{
    int            n;
    struct pollfd  fd;

    fd.fd = PQsocket(pc->pg);
    fd.events = pc->writes ? POLLOUT : POLLIN;
    fd.revents = 0;

    do {
        n = poll(&fd, 1, 0);
    } while (n == -1 && ngx_errno == NGX_EINTR);

    return n != 0;
}


/* no: there is more to read, or the end of it */

ngx_uint_t
ngx_realtime_pg_sock_drained(ngx_realtime_pg_conn_t *pc)
{
    u_char   byte;
    ssize_t  n;

    do {
        n = recv(PQsocket(pc->pg), &byte, 1, MSG_PEEK);
    } while (n == -1 && ngx_socket_errno == NGX_EINTR);

    return n == -1 && ngx_socket_errno == NGX_EAGAIN;
}
