
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * The statements of jobs; "*" is for the policies.  Which rows a worker gets
 * is Postgres' decision: what another one has locked is skipped.
 *
 * With policies an index is of use only for what cannot leak, as comparing is
 * but the arithmetic of intervals is not: this has a query of its own.
 */

#ifndef _NGX_REALTIME_CHAT_JOBS_STMT_H_INCLUDED_
#define _NGX_REALTIME_CHAT_JOBS_STMT_H_INCLUDED_


/* a job that failed so often is given up */
#define NGX_REALTIME_STMT_JOB_TRIES  "20"

#define NGX_REALTIME_STMT_JOB_LEASE  "interval '10 seconds'"

/* what is larger is not read: receivers; bytes of a notification's data, and
   of everything else, with the white space and escapes of whoever wrote it */
#define NGX_REALTIME_STMT_JOB_USERS    "10000"
#define NGX_REALTIME_STMT_JOB_DATA     "16384"
#define NGX_REALTIME_STMT_JOB_PAYLOAD  "300000"


/* column, table, table, column, column of the users; a page of 1000 */

#define NGX_REALTIME_STMT_PEOPLE_SQL                                          \
    "select u.%V, case when $2::uuid is null "                                \
        "then (select count(*) from %V) end "                                 \
    "from %V u where $1::text is not null and u.%V > coalesce($2::uuid, "     \
        "'00000000-0000-0000-0000-000000000000'::uuid) "                      \
    "order by u.%V limit 1000"


#define NGX_REALTIME_STMT_JOBS                                                \
                                                                              \
    /* of two with one id the first counts */                                 \
                                                                              \
    [NGX_REALTIME_STMT_JOB_ADD] = { "realtime_job_add",                       \
      "insert into realtime.jobs (id, kind, users, payload, data, "           \
          "expires_at, run_at, total) "                                       \
      "select $2::uuid, $3::text, $4::uuid[], $5::json, $6::json, "           \
          NGX_REALTIME_STMT_MS("$7") ", coalesce("                            \
          NGX_REALTIME_STMT_MS("$8") ", now()), $9::int "                     \
      "where $1::text is not null on conflict do nothing",                    \
      9, 1 },                                                                 \
                                                                              \
    [NGX_REALTIME_STMT_JOB_GET] = { "realtime_job_get",                       \
      "select j.id, j.kind, case when j.error is not null then 'failed' "     \
          "when j.finished_at is not null then 'done' "                       \
          "when j.attempts > 0 or j.done > 0 then 'running' "                 \
          "else 'waiting' end, j.done, j.total, "                             \
          NGX_REALTIME_STMT_TIME("j.run_at") ", "                             \
          NGX_REALTIME_STMT_TIME("j.created_at") ", "                         \
          NGX_REALTIME_STMT_TIME("j.finished_at") ", j.error "                \
      "from realtime.jobs j where j.id = $2::uuid and $1::text is not null",  \
      2, 1 },                                                                 \
                                                                              \
    [NGX_REALTIME_STMT_JOBS_CLAIM] = { "realtime_jobs_claim",                 \
      "with due as ("                                                         \
          "select j.id from realtime.jobs j "                                 \
          "where j.finished_at is null and j.run_at <= now() "                \
              "and (j.lease_until is null or j.lease_until < now()) "         \
              "and $1::text is not null "                                     \
          "order by j.run_at, j.seq limit 20 for update skip locked"          \
      "), taken as ("                                                         \
          "update realtime.jobs j set attempts = "                            \
              "greatest(least(j.attempts, 1000), 0) + 1, "                    \
              "lease_until = now() + " NGX_REALTIME_STMT_JOB_LEASE " "        \
          "from due where j.id = due.id returning j.*"                        \
      ") select t.id, t.kind, t.attempts > 1, "                               \
          "t.attempts > " NGX_REALTIME_STMT_JOB_TRIES ", w.code, "            \
          "case when w.code is null then array_to_string(t.users, ',') end, " \
          "t.last_id, case when isfinite(t.expires_at) then "                 \
              "(extract(epoch from t.expires_at) * 1000)::bigint end, "       \
          "coalesce(t.expires_at <= now(), false), "                          \
          "case when w.code is null then t.payload::text end, "               \
          "case when w.code is null then t.data::text end "                   \
      "from taken t cross join lateral (select case "                         \
          "when cardinality(t.users) > " NGX_REALTIME_STMT_JOB_USERS " "      \
              "then 'receivers_too_many' "                                    \
          "when octet_length(t.data::text) > " NGX_REALTIME_STMT_JOB_DATA " " \
              "then 'data_too_large' "                                        \
          "when octet_length(t.payload::text) > "                             \
              NGX_REALTIME_STMT_JOB_PAYLOAD " then 'payload_too_large' "      \
          "end as code) w order by t.run_at, t.seq",                          \
      1, 0 },                                                                 \
                                                                              \
    [NGX_REALTIME_STMT_JOBS_NEXT] = { "realtime_jobs_next",                   \
      "select ceil(extract(epoch from j.run_at - now()) * 1000)::bigint "     \
      "from realtime.jobs j "                                                 \
      "where j.finished_at is null and j.run_at > now() "                     \
          "and j.run_at < 'infinity' and $1::text is not null "               \
      "order by j.run_at, j.seq limit 1",                                     \
      1, 1 },                                                                 \
                                                                              \
    /* a page of a broadcast: others have their turn, here or elsewhere */    \
                                                                              \
    [NGX_REALTIME_STMT_JOB_STEP] = { "realtime_job_step",                     \
      "update realtime.jobs j set last_id = $3::uuid, "                       \
          "done = least(j.done, 2000000000) + $4::int, "                      \
          "total = coalesce($5::int, j.total), "                              \
          "attempts = 0, lease_until = null, "                                \
          "run_at = now() + interval '200 milliseconds' "                     \
      "where j.id = $2::uuid and j.finished_at is null "                      \
          "and j.last_id is distinct from $3::uuid and $1::text is not null", \
      5, 1 },                                                                 \
                                                                              \
    [NGX_REALTIME_STMT_JOB_END] = { "realtime_job_end",                       \
      "with gone as (delete from realtime.jobs j where j.id = $2::uuid "      \
          "and j.kind = 'emit' and $3::text is null "                         \
          "and $1::text is not null) "                                        \
      "update realtime.jobs j set finished_at = now(), lease_until = null, "  \
          "error = $3::text, users = null, payload = null, data = null, "     \
          "done = case when $3::text is null and j.kind = 'notify' "          \
              "then j.total else j.done end "                                 \
      "where j.id = $2::uuid and j.finished_at is null "                      \
          "and (j.kind <> 'emit' or $3::text is not null)",                   \
      3, 1 },                                                                 \
                                                                              \
    [NGX_REALTIME_STMT_PURGE] = { "realtime_purge",                           \
      "with old as (delete from realtime.jobs j where j.ctid = any(array("    \
          "select o.ctid from realtime.jobs o "                               \
          "where o.finished_at < (select now() - interval '7 days') "         \
          "order by o.finished_at limit 1000 for update skip locked))"        \
      "), gone as (delete from realtime.notifications n using ("              \
          "select e.user_id, e.id from realtime.notifications e "             \
          "where e.expires_at < now() and $1::text is not null "              \
          "order by e.expires_at limit 1000 for update skip locked) e "       \
          "where n.user_id = e.user_id and n.id = e.id returning 1"           \
      ") select count(*) from gone",                                          \
      1, 1 },                                                                 \
                                                                              \
    [NGX_REALTIME_STMT_PEOPLE] = { "realtime_people", NULL, 2, 1 }


#endif /* _NGX_REALTIME_CHAT_JOBS_STMT_H_INCLUDED_ */
