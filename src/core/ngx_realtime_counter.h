
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Counters live in the worker's slot of the zone, so that whichever worker
 * answers the status page sums them over all slots.  Only the owner writes
 * its own, without atomics: a reader may be one increment behind, never wrong
 * by more.  A slot keeps its counters when its worker dies: the successor
 * counts on, and totals never go backwards.
 *
 * Gauges are counts of what exists now; they are zeroed when a slot changes
 * hands.
 */

#ifndef _NGX_REALTIME_COUNTER_H_INCLUDED_
#define _NGX_REALTIME_COUNTER_H_INCLUDED_


#include "ngx_realtime.h"


/* name, kind, help */

#define NGX_REALTIME_COUNTERS(X)                                              \
    X(connections, GAUGE, "Engine.IO sessions open now")                      \
    X(sockets, GAUGE, "Socket.IO sockets connected now")                      \
    X(pg_ready, GAUGE, "Postgres connections ready now")                      \
    X(pg_waiting, GAUGE, "statements waiting for a Postgres connection now")  \
    X(handshakes, COUNTER, "Engine.IO handshakes accepted")                   \
    X(handshakes_refused, COUNTER, "Engine.IO handshakes refused")            \
    X(connects, COUNTER, "Socket.IO CONNECTs accepted")                       \
    X(connects_refused, COUNTER, "Socket.IO CONNECTs refused")                \
    X(recoveries, COUNTER, "sockets that came back with all they missed")     \
    X(recoveries_refused, COUNTER, "sockets that wanted to and start anew")   \
    X(recovery_full, COUNTER, "sockets that got no record: zone full")        \
    X(auth_refused, COUNTER, "tokens refused, REST and socket")               \
    X(auth_expired, COUNTER, "sockets closed because their token expired")    \
    X(auth_warnings, COUNTER, "sockets told that their token expires soon")   \
    X(auth_refreshes, COUNTER, "tokens renewed on an open socket")            \
    X(revocations, COUNTER, "revocations made")                               \
    X(revocations_full, COUNTER, "revocations refused: zone full")            \
    X(revoked, COUNTER, "sockets closed because their token was revoked")     \
    X(kicked, COUNTER, "sockets that a back end disconnected")                \
    X(api_emits, COUNTER, "events that a back end sent to a room")            \
    X(acks_waiting, GAUGE, "calls of a back end that wait for acks now")      \
    X(acks, COUNTER, "acks that clients gave to a back end's events")         \
    X(acks_unknown, COUNTER, "acks that nobody waited for, or not any more")  \
    X(acks_refused, COUNTER, "acks too large or binary, which are missing")   \
    X(api_unanswered, COUNTER, "calls of a back end that a worker left open") \
    X(messages_in, COUNTER, "packets received from clients")                  \
    X(messages_out, COUNTER, "packets sent to clients")                       \
    X(deflated, COUNTER, "messages compressed, each once for all sockets")    \
    X(deflated_from_bytes, COUNTER, "their bytes before")                     \
    X(deflated_to_bytes, COUNTER, "their bytes compressed")                   \
    X(deflated_sent, COUNTER, "compressed messages sent to clients")          \
    X(inflated, COUNTER, "compressed messages received from clients")         \
    X(inflated_from_bytes, COUNTER, "their bytes as they came")               \
    X(inflated_to_bytes, COUNTER, "their bytes inflated")                     \
    X(protocol_errors, COUNTER, "connections closed for malformed input")     \
    X(events_refused, COUNTER, "events answered with an error")               \
    X(ping_timeouts, COUNTER, "sessions closed for want of a pong")           \
    X(connect_timeouts, COUNTER, "sessions closed for want of a CONNECT")     \
    X(slow_consumers, COUNTER, "sessions closed at realtime_send_limit")      \
    X(bus_sent, COUNTER, "records appended to the bus")                       \
    X(bus_received, COUNTER, "records read from the bus")                     \
    X(bus_wakeups, COUNTER, "wake-ups sent to other workers")                 \
    X(bus_queued, COUNTER, "records that had to wait for a slow worker")      \
    X(bus_gaps, COUNTER, "times this worker lagged and lost records")         \
    X(slots_repaired, COUNTER, "slots of dead workers cleaned up")            \
    X(http_requests, COUNTER, "REST requests")                                \
    X(http_refused, COUNTER, "REST requests answered with an error")          \
    X(chat_messages, COUNTER, "chat messages committed")                      \
    X(chat_repeats, COUNTER, "sends that returned a stored message")          \
    X(receipts_dropped, COUNTER, "delivery marks that were not made")         \
    X(notifications, COUNTER, "notifications told, each once for all users")  \
    X(notifications_stored, COUNTER, "rows of notifications, one for a user") \
    X(notifications_given, COUNTER, "unread ones given to a socket that came") \
    X(jobs_run, COUNTER, "jobs that were delivered, or steps of them")        \
    X(jobs_failed, COUNTER, "jobs given up because of an error")              \
    X(notifications_purged, COUNTER, "expired notifications deleted")         \
    X(typing_told, COUNTER, "typing events sent on to the other participant") \
    X(presence_told, COUNTER, "changes of presence told to somebody")         \
    X(presence_saved, COUNTER, "last times written to Postgres")              \
    X(presence_full, COUNTER, "sockets of users without a place: zone full")  \
    X(rate_limited, COUNTER, "events and requests over realtime_event_rate")  \
    X(connects_limited, COUNTER, "CONNECTs over the connections of a user")   \
    X(relayed, COUNTER, "messages relayed without a row")                     \
    X(pg_queries, COUNTER, "statements sent to Postgres")                     \
    X(pg_batches, COUNTER, "pipeline batches sent to Postgres")               \
    X(pg_errors, COUNTER, "statements that Postgres refused")                 \
    X(pg_timeouts, COUNTER, "statements past their deadline")                 \
    X(pg_refused, COUNTER, "statements refused: no connection or full list")  \
    X(pg_connects, COUNTER, "Postgres connections opened")                    \
    X(pg_losses, COUNTER, "Postgres connections lost")


typedef enum {
#define NGX_REALTIME_COUNTER_NAME(name, kind, help)  NGX_REALTIME_C_##name,
    NGX_REALTIME_COUNTERS(NGX_REALTIME_COUNTER_NAME)
#undef NGX_REALTIME_COUNTER_NAME
    NGX_REALTIME_C_MAX
} ngx_realtime_counter_e;


typedef struct {
    ngx_str_t                  name;
    ngx_str_t                  help;
    unsigned                   gauge:1;
} ngx_realtime_counter_t;


extern const ngx_realtime_counter_t  ngx_realtime_counter_table[];

/* of this worker; before the slot is attached, a private array */
extern uint64_t                     *ngx_realtime_counters;


#define ngx_realtime_count(name)                                              \
    (ngx_realtime_counters[NGX_REALTIME_C_##name]++)
#define ngx_realtime_count_n(name, n)                                         \
    (ngx_realtime_counters[NGX_REALTIME_C_##name] += (n))
#define ngx_realtime_gauge_inc(name)   ngx_realtime_count(name)
#define ngx_realtime_gauge_dec(name)                                          \
    (ngx_realtime_counters[NGX_REALTIME_C_##name]--)
#define ngx_realtime_gauge_set(name, n)                                       \
    (ngx_realtime_counters[NGX_REALTIME_C_##name] = (n))


#endif /* _NGX_REALTIME_COUNTER_H_INCLUDED_ */
