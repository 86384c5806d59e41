
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * Everything that the module refuses, in one table.  A refusal is named
 * once; whichever door it leaves by (an HTTP reply, an ack, a CONNECT_ERROR,
 * a WebSocket close) takes its own column.
 *
 *   name      enum NGX_REALTIME_R_<name>
 *   code      what programs compare: the "code" member of every error
 *   http      status of the REST reply
 *   retry     the same call may succeed later: Retry-After, "retryAfter"
 *   text      what people read
 *
 * The texts of REST and socket differ for the token refusals because the
 * contract fixed both; "" means "the same as text".
 */

#ifndef _NGX_REALTIME_REFUSAL_H_INCLUDED_
#define _NGX_REALTIME_REFUSAL_H_INCLUDED_


#include "ngx_realtime.h"


#define NGX_REALTIME_REFUSALS(X)                                              \
    /* name, code, http, retry, text, socket text */                          \
    X(TOKEN_MISSING, "token_missing", 401, 0,                                 \
      "Missing authentication token", "No access token")                      \
    X(TOKEN_INVALID, "token_invalid", 401, 0,                                 \
      "Invalid or expired token", "")                                         \
    X(TOKEN_PAYLOAD, "token_payload", 401, 0,                                 \
      "Invalid token payload", "")                                            \
    X(SERVICE, "service_not_allowed", 403, 0,                                 \
      "These credentials are not those of a service", "")                     \
    X(ORIGIN, "origin_not_allowed", 403, 0,                                   \
      "Origin not allowed", "")                                               \
    X(USER_NOT_UUID, "user_not_uuid", 403, 0,                                 \
      "The chat API needs a UUID as user id", "")                             \
    X(PARTICIPANT_REQUIRED, "participant_required", 400, 0,                   \
      "Participant ID required", "")                                          \
    X(PARTICIPANT_SELF, "participant_self", 400, 0,                           \
      "Cannot start a conversation with yourself", "")                        \
    X(USER_NOT_FOUND, "user_not_found", 404, 0,                               \
      "User not found", "")                                                   \
    X(CONVERSATION_NOT_FOUND, "conversation_not_found", 404, 0,               \
      "Conversation not found", "")                                           \
    X(NOT_DELETED, "not_found_or_unauthorized", 404, 0,                       \
      "Conversation not found or unauthorized", "")                           \
    X(CONTENT_REQUIRED, "content_required", 400, 0,                           \
      "Message content required", "")                                         \
    X(CONTENT_INVALID, "content_invalid", 400, 0,                             \
      "Message content must be text without NUL", "")                         \
    X(CONTENT_TOO_LONG, "content_too_long", 413, 0,                           \
      "Message content is longer than 10000 characters", "")                  \
    X(CLIENT_ID_INVALID, "client_id_invalid", 400, 0,                         \
      "clientId must be a string of 1 to 128 characters", "")                 \
    X(RECIPIENT_INVALID, "recipient_invalid", 400, 0,                         \
      "recipientId must be the other participant", "")                        \
    X(TITLE_INVALID, "title_invalid", 400, 0,                                 \
      "title must be a string of 1 to 200 characters", "")                    \
    X(CURSOR_INVALID, "cursor_invalid", 400, 0,                               \
      "The page to continue from is not a valid one", "")                     \
    X(UP_TO_INVALID, "up_to_invalid", 400, 0,                                 \
      "upTo must be the id of a message", "")                                 \
    X(FORBIDDEN, "forbidden", 403, 0,                                         \
      "Not allowed", "")                                                      \
    X(NOTIFICATION_NOT_FOUND, "notification_not_found", 404, 0,               \
      "Notification not found", "")                                           \
    X(NOTE_TYPE_INVALID, "type_invalid", 400, 0,                              \
      "type must be 1 to 50 of a-z, 0-9, _, . and -", "")                     \
    X(NOTE_MESSAGE_INVALID, "message_invalid", 400, 0,                        \
      "message must be a string of 1 to 4000 characters", "")                 \
    X(NOTE_DATA_INVALID, "data_invalid", 400, 0,                              \
      "data must be an object", "")                                           \
    X(NOTE_DATA_TOO_LARGE, "data_too_large", 413, 0,                          \
      "data is longer than 16384 bytes", "")                                  \
    X(NOTE_ID_INVALID, "id_invalid", 400, 0,                                  \
      "id must be a UUID", "")                                                \
    X(DELIVER_INVALID, "deliver_invalid", 400, 0,                             \
      "deliverAt must be a time in ISO 8601 or seconds", "")                  \
    X(ALL_INVALID, "all_invalid", 400, 0,                                     \
      "all must be true, or not there", "")                                   \
    X(JOB_NOT_FOUND, "job_not_found", 404, 0,                                 \
      "Job not found", "")                                                    \
    X(RECEIVERS_INVALID, "receivers_invalid", 400, 0,                         \
      "Receivers are user ids of 1 to 128 printable bytes, one at least", "") \
    X(RECEIVERS_NOT_UUID, "receivers_not_uuid", 400, 0,                       \
      "A stored notification needs UUIDs as user ids", "")                    \
    X(RECEIVERS_TOO_MANY, "receivers_too_many", 413, 0,                       \
      "A call is for 10000 users at most", "")                                \
    X(TYPING_INVALID, "typing_invalid", 400, 0,                               \
      "isTyping must be true or false", "")                                   \
    X(STATE_INVALID, "state_invalid", 400, 0,                                 \
      "state must be online, away, busy or invisible", "")                    \
    X(PAYLOAD_INVALID, "payload_invalid", 400, 0,                             \
      "The payload must be an object", "")                                    \
    X(EVENT_UNKNOWN, "event_unknown", 400, 0,                                 \
      "Unknown event", "")                                                    \
    X(JSON_MALFORMED, "json_malformed", 400, 0,                               \
      "Malformed JSON", "")                                                   \
    X(MEDIA_TYPE, "unsupported_media_type", 415, 0,                           \
      "Content-Type must be application/json", "")                            \
    X(BODY_TOO_LARGE, "body_too_large", 413, 0,                               \
      "Request body too large", "")                                           \
    X(ENDPOINT_NOT_FOUND, "endpoint_not_found", 404, 0,                       \
      "Endpoint not found", "")                                               \
    X(METHOD, "method_not_allowed", 405, 0,                                   \
      "Method not allowed", "")                                               \
    X(CONFLICT, "conflict", 409, 0,                                           \
      "This id is in use for another message", "")                            \
    X(USER_INVALID, "user_invalid", 400, 0,                                   \
      "A user id is a string of 1 to 128 printable bytes", "")                \
    X(REASON_INVALID, "reason_invalid", 400, 0,                               \
      "reason must be a string of at most 200 bytes", "")                     \
    X(ROOM_INVALID, "room_invalid", 400, 0,                                   \
      "There is no such kind of room: write user:<id>", "")                   \
    X(EVENT_INVALID, "event_invalid", 400, 0,                                 \
      "event must be a string of 1 to 128 bytes, and not a reserved name",    \
      "")                                                                     \
    X(ARGS_INVALID, "args_invalid", 400, 0,                                   \
      "args must be an array, and payload is instead of it", "")              \
    X(EXCEPT_INVALID, "except_invalid", 400, 0,                               \
      "except must be the id of a socket", "")                                \
    X(VOLATILE_INVALID, "volatile_invalid", 400, 0,                           \
      "volatile must be true or false", "")                                   \
    X(ACK_TIMEOUT_INVALID, "ack_timeout_invalid", 400, 0,                     \
      "ackTimeout must be whole milliseconds, from 1 to 30000", "")           \
    X(EVENT_TOO_LARGE, "event_too_large", 413, 0,                             \
      "The event is larger than realtime_max_payload", "")                    \
    X(REVOKE_INVALID, "revoke_invalid", 400, 0,                               \
      "Give userId, or jti, or before alone for all users", "")               \
    X(BEFORE_INVALID, "before_invalid", 400, 0,                               \
      "before must be a time in ISO 8601 or seconds, and not in the future",  \
      "")                                                                     \
    X(EXPIRES_INVALID, "expires_invalid", 400, 0,                             \
      "expiresAt must be a time in ISO 8601 or seconds, in the future",       \
      "")                                                                     \
    X(REVOCATIONS_FULL, "revocations_full", 507, 0,                           \
      "There is no room for another revocation", "")                          \
    X(NO_ANSWER, "no_answer", 503, 1,                                         \
      "A worker does not answer, try again", "")                              \
    X(RATE_LIMITED, "rate_limited", 429, 1,                                   \
      "Too many of these, wait a little", "")                                 \
    X(TOO_MANY_CONNECTIONS, "too_many_connections", 429, 0,                   \
      "Too many connections", "")                                             \
    X(UNAVAILABLE, "unavailable", 503, 1,                                     \
      "The database is unavailable, try again", "")                           \
    X(BUSY, "busy", 503, 1,                                                   \
      "Too many requests are waiting, try again", "")                         \
    X(INTERNAL, "internal", 500, 0,                                           \
      "Internal error", "")


typedef enum {
    NGX_REALTIME_R_NONE = 0,
#define NGX_REALTIME_REFUSAL_NAME(name, code, http, retry, text, socket)      \
    NGX_REALTIME_R_##name,
    NGX_REALTIME_REFUSALS(NGX_REALTIME_REFUSAL_NAME)
#undef NGX_REALTIME_REFUSAL_NAME
    NGX_REALTIME_R_MAX
} ngx_realtime_refusal_e;


typedef struct {
    ngx_str_t                  code;
    ngx_str_t                  text;
    ngx_str_t                  socket_text;   /* len 0: the same as text */
    ngx_uint_t                 status;        /* HTTP */
    unsigned                   retry:1;
} ngx_realtime_refusal_t;


/* always a record: an id out of range gives INTERNAL's */

const ngx_realtime_refusal_t *ngx_realtime_refusal(ngx_realtime_refusal_e id);


#endif /* _NGX_REALTIME_REFUSAL_H_INCLUDED_ */
