
/*
 * Copyright (C) ngx_realtime contributors
 */

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "rtload.h"


typedef struct {
    const char        *name;
    void             (*run)(rtl_t *rtl);
} rtl_mode_t;


static int rtl_options(rtl_conf_t *conf, int argc, char **argv);
static int rtl_option(rtl_conf_t *conf, const char *name, const char *value);
static int rtl_option_key(rtl_conf_t *conf, const char *file);
static int rtl_option_pids(rtl_conf_t *conf, const char *value);
static int rtl_usage(void);
static void rtl_limits(void);
static void rtl_print_string(const char *s);


static const rtl_mode_t  rtl_modes[] = {
    { "relay", rtl_relay },
    { "fanout", rtl_fanout },
    { "stored", rtl_stored },
    { "notify", rtl_notify },
    { "notify-many", rtl_notify_many },
    { "notify-stored", rtl_notify_stored },
    { "emit-many", rtl_emit_many },
    { "store", rtl_store },
    { "page", rtl_page },
    { "connect", rtl_connect },
    { "idle", rtl_idle },
    { "beat", rtl_beat },
    { "reload", rtl_reload },
    { "polling", rtl_polling },
    { "upgrade", rtl_upgrade },
    { NULL, NULL }
};


int
main(int argc, char **argv)
{
    rtl_t              rtl;
    const rtl_mode_t  *mode;

    memset(&rtl, 0, sizeof(rtl_t));
    rtl.epfd = -1;

    if (rtl_options(&rtl.conf, argc, argv) == -1) {
        return rtl_usage();
    }

    for (mode = rtl_modes; mode->name; mode++) {
        if (strcmp(mode->name, rtl.conf.mode) == 0) {
            break;
        }
    }

    if (mode->name == NULL) {
        return rtl_usage();
    }

    rtl_limits();

    printf("{\"mode\":\"%s\",\"proto\":\"%s\"", mode->name,
           rtl.conf.proto == RTL_PROTO_RAW ? "raw" : "socketio");

    mode->run(&rtl);

    printf(",\"errors\":%llu", (unsigned long long) rtl.errors);

    if (rtl.errors) {
        printf(",\"first_error\":\"");
        rtl_print_string(rtl.first_error);
        printf("\"");
    }

    printf("}\n");

    rtl_conn_close_all(&rtl);

    return rtl.errors ? 1 : 0;
}


static int
rtl_options(rtl_conf_t *conf, int argc, char **argv)
{
    int  i;

    if (argc < 2) {
        return -1;
    }

    conf->mode = argv[1];
    conf->conns = 200;
    conf->parallel = 32;
    conf->size = 64;
    conf->warmup = 1;
    conf->seconds = 5;

    for (i = 2; i + 1 < argc; i += 2) {
        if (rtl_option(conf, argv[i], argv[i + 1]) == -1) {
            fprintf(stderr, "rtload: bad option %s %s\n", argv[i],
                    argv[i + 1]);
            return -1;
        }
    }

    if (i != argc || conf->port == 0) {
        return -1;
    }

    return (conf->proto == RTL_PROTO_SOCKETIO && conf->key_len == 0) ? -1 : 0;
}


static int
rtl_option(rtl_conf_t *conf, const char *name, const char *value)
{
    double  n;

    if (strcmp(name, "--proto") == 0) {
        conf->proto = (strcmp(value, "raw") == 0) ? RTL_PROTO_RAW
                                                  : RTL_PROTO_SOCKETIO;
        return (conf->proto == RTL_PROTO_RAW
                || strcmp(value, "socketio") == 0) ? 0 : -1;
    }

    if (strcmp(name, "--place") == 0) {
        conf->place = (strcmp(value, "different") == 0)
                      ? RTL_PLACE_DIFFERENT : RTL_PLACE_ANY;
        return (conf->place == RTL_PLACE_DIFFERENT
                || strcmp(value, "any") == 0) ? 0 : -1;
    }

    if (strcmp(name, "--key") == 0) {
        return rtl_option_key(conf, value);
    }

    if (strcmp(name, "--pid") == 0) {
        return rtl_option_pids(conf, value);
    }

    n = atof(value);

    if (n < 0) {
        return -1;
    }

    if (strcmp(name, "--port") == 0 && n >= 1 && n < 65536) {
        conf->port = (uint16_t) n;

    } else if (strcmp(name, "--conns") == 0 && n >= 1 && n <= 1000000) {
        conf->conns = (unsigned) n;

    } else if (strcmp(name, "--more") == 0 && n <= 1000000) {
        conf->more = (unsigned) n;

    } else if (strcmp(name, "--parallel") == 0 && n >= 1 && n <= 10000) {
        conf->parallel = (unsigned) n;

    } else if (strcmp(name, "--size") == 0 && n >= 16 && n <= 32768) {
        conf->size = (unsigned) n;

    } else if (strcmp(name, "--rate") == 0) {
        conf->rate = n;

    } else if (strcmp(name, "--warmup") == 0) {
        conf->warmup = n;

    } else if (strcmp(name, "--seconds") == 0 && n <= 3600) {
        conf->seconds = n;

    } else {
        return -1;
    }

    return 0;
}


/* the bytes of the file are the key, as in realtime_jwt_key ... file: */

static int
rtl_option_key(rtl_conf_t *conf, const char *file)
{
    FILE  *f;

    f = fopen(file, "r");
    if (f == NULL) {
        perror(file);
        return -1;
    }

    conf->key_len = fread(conf->key, 1, sizeof(conf->key), f);
    fclose(f);

    return conf->key_len ? 0 : -1;
}


static int
rtl_option_pids(rtl_conf_t *conf, const char *value)
{
    char  *end;
    long   pid;

    while (conf->npids < RTL_PIDS) {
        pid = strtol(value, &end, 10);

        if (pid <= 0 || (*end != ',' && *end != '\0')) {
            return -1;
        }

        conf->pids[conf->npids++] = (pid_t) pid;

        if (*end == '\0') {
            return 0;
        }

        value = end + 1;
    }

    return -1;
}


static int
rtl_usage(void)
{
    fputs("usage: rtload MODE --port N\n"
          "    relay fanout stored store page connect idle beat reload\n"
          "    polling upgrade notify notify-many notify-stored emit-many\n"
          "    --proto socketio|raw    raw: peers/floor, peers/rawws.js\n"
          "    --key FILE              the HS256 key (socketio)\n"
          "    --pid PID[,PID]         server processes; children are found\n"
          "    --conns N               pairs, receivers or connections\n"
          "    --more N                idle: a second step of N\n"
          "    --parallel N            handshakes in flight (32)\n"
          "    --size BYTES            of content (64)\n"
          "    --rate R                messages/s, open loop (0: closed)\n"
          "    --place any|different   workers of a pair (relay),\n"
          "                            of GET and WebSocket (upgrade)\n"
          "    --warmup S --seconds S  (1, 5)\n", stderr);

    return 2;
}


static void
rtl_limits(void)
{
    struct rlimit  rl;

    signal(SIGPIPE, SIG_IGN);

    /* the default slack of 50 us would be in every paced latency */

    (void) prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);

    if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
        rl.rlim_cur = rl.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &rl);
    }
}


uint64_t
rtl_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * RTL_SECOND + (uint64_t) ts.tv_nsec;
}


void
rtl_error(rtl_t *rtl, const char *fmt, ...)
{
    va_list  args;

    if (rtl->errors++ == 0) {
        va_start(args, fmt);
        vsnprintf(rtl->first_error, sizeof(rtl->first_error), fmt, args);
        va_end(args);
    }
}


static void
rtl_print_string(const char *s)
{
    for ( /* void */ ; *s; s++) {

        if (*s == '"' || *s == '\\') {
            printf("\\%c", *s);

        } else if ((unsigned char) *s < 0x20 || (unsigned char) *s > 0x7e) {
            printf("\\u%04x", (unsigned char) *s);

        } else {
            putchar(*s);
        }
    }
}
