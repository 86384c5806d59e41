
/*
 * Copyright (C) ngx_realtime contributors
 */

/*
 * What the kernel says about the server: CPU time of all its threads from
 * the scheduler's own clock, memory by mapping, and which of its processes
 * holds the other end of a connection.
 */

#include <arpa/inet.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rtload.h"


static unsigned rtl_proc_children(pid_t pid, pid_t *pids, unsigned n,
    unsigned max);
static uint64_t rtl_proc_pid_cpu(pid_t pid);
static void rtl_proc_pid_memory(pid_t pid, rtl_memory_t *m);
static unsigned rtl_proc_inodes(const rtl_conf_t *conf, unsigned long *inodes);
static void rtl_proc_owner(rtl_t *rtl, const unsigned long *inodes, pid_t pid,
    int index);
static uint16_t rtl_proc_local_port(int fd);


/* the given processes and all their descendants */

unsigned
rtl_proc_tree(const rtl_conf_t *conf, pid_t *pids, unsigned max)
{
    unsigned  i, n;

    n = 0;

    for (i = 0; i < conf->npids && n < max; i++) {
        pids[n++] = conf->pids[i];
        n = rtl_proc_children(conf->pids[i], pids, n, max);
    }

    return n;
}


static unsigned
rtl_proc_children(pid_t pid, pid_t *pids, unsigned n, unsigned max)
{
    int    child;
    FILE  *f;
    char   path[64];

    /* a process of this bench forks from its main thread only */

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);

    f = fopen(path, "r");
    if (f == NULL) {
        return n;
    }

    while (n < max && fscanf(f, "%d", &child) == 1) {
        pids[n++] = child;
        n = rtl_proc_children(child, pids, n, max);
    }

    fclose(f);

    return n;
}


uint64_t
rtl_proc_cpu(const rtl_conf_t *conf)
{
    pid_t     pids[RTL_PIDS];
    uint64_t  sum;
    unsigned  i, n;

    n = rtl_proc_tree(conf, pids, RTL_PIDS);
    sum = 0;

    for (i = 0; i < n; i++) {
        sum += rtl_proc_pid_cpu(pids[i]);
    }

    return sum;
}


static uint64_t
rtl_proc_pid_cpu(pid_t pid)
{
    DIR                 *dir;
    FILE                *f;
    char                 path[320];
    uint64_t             sum;
    struct dirent       *de;
    unsigned long long   ns;

    snprintf(path, sizeof(path), "/proc/%d/task", pid);

    dir = opendir(path);
    if (dir == NULL) {
        return 0;
    }

    sum = 0;

    while ((de = readdir(dir)) != NULL) {

        if (de->d_name[0] == '.') {
            continue;
        }

        snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid,
                 de->d_name);

        f = fopen(path, "r");
        if (f == NULL) {
            continue;
        }

        if (fscanf(f, "%llu", &ns) == 1) {
            sum += ns;
        }

        fclose(f);
    }

    closedir(dir);

    return sum;
}


uint64_t
rtl_proc_own_cpu(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return (uint64_t) ts.tv_sec * RTL_SECOND + (uint64_t) ts.tv_nsec;
}


/*
 * Private_Dirty of smaps_rollup would count the pages of a shared zone that
 * only one worker has touched so far; smaps tells them apart.
 */

void
rtl_proc_memory(const rtl_conf_t *conf, rtl_memory_t *m)
{
    pid_t         pids[RTL_PIDS];
    unsigned      i, n;
    rtl_memory_t  one;

    memset(m, 0, sizeof(rtl_memory_t));

    n = rtl_proc_tree(conf, pids, RTL_PIDS);

    for (i = 0; i < n; i++) {
        memset(&one, 0, sizeof(rtl_memory_t));
        rtl_proc_pid_memory(pids[i], &one);

        m->private_dirty += one.private_dirty;

        if (one.shared_dirty > m->shared_dirty) {
            m->shared_dirty = one.shared_dirty;
        }
    }
}


static void
rtl_proc_pid_memory(pid_t pid, rtl_memory_t *m)
{
    int                  shared;
    FILE                *f;
    char                 line[512], perms[8];
    unsigned long        lo, hi;
    unsigned long long   kb;

    snprintf(line, sizeof(line), "/proc/%d/smaps", pid);

    f = fopen(line, "r");
    if (f == NULL) {
        return;
    }

    shared = 0;

    while (fgets(line, sizeof(line), f) != NULL) {

        if (sscanf(line, "%lx-%lx %7s", &lo, &hi, perms) == 3) {
            shared = (perms[3] == 's');

        } else if (sscanf(line, "Private_Dirty: %llu", &kb) == 1) {
            if (shared) {
                m->shared_dirty += kb * 1024;

            } else {
                m->private_dirty += kb * 1024;
            }

        } else if (shared && sscanf(line, "Shared_Dirty: %llu", &kb) == 1) {
            m->shared_dirty += kb * 1024;
        }
    }

    fclose(f);
}


/*
 * Fills c->owner of every connection: /proc/net/tcp gives the inode of the
 * server's end, /proc/PID/fd the process that has it.  Returns the number of
 * processes that own at least one.
 */

int
rtl_proc_owners(rtl_t *rtl)
{
    int            owners;
    pid_t          pids[RTL_PIDS];
    unsigned       i, j, n;
    unsigned long *inodes;

    inodes = calloc(65536, sizeof(unsigned long));
    if (inodes == NULL) {
        return 0;
    }

    for (i = 0; i < rtl->nconns; i++) {
        rtl->conns[i].owner = -1;
    }

    if (rtl_proc_inodes(&rtl->conf, inodes) != 0) {
        n = rtl_proc_tree(&rtl->conf, pids, RTL_PIDS);

        for (i = 0; i < n; i++) {
            rtl_proc_owner(rtl, inodes, pids[i], (int) i);
        }
    }

    free(inodes);

    owners = 0;

    for (i = 0; i < RTL_PIDS; i++) {
        for (j = 0; j < rtl->nconns; j++) {
            if (rtl->conns[j].owner == (int) i) {
                owners++;
                break;
            }
        }
    }

    return owners;
}


/* inodes of the server's sockets by the port of the client */

static unsigned
rtl_proc_inodes(const rtl_conf_t *conf, unsigned long *inodes)
{
    FILE           *f;
    char            line[512];
    unsigned        n, local, remote;
    unsigned long   inode;

    f = fopen("/proc/net/tcp", "r");
    if (f == NULL) {
        return 0;
    }

    n = 0;

    while (fgets(line, sizeof(line), f) != NULL) {

        if (sscanf(line, " %*d: %*x:%x %*x:%x %*x %*x:%*x %*x:%*x %*x %*d "
                   "%*d %lu", &local, &remote, &inode) == 3
            && local == conf->port && remote < 65536 && inode != 0)
        {
            inodes[remote] = inode;
            n++;
        }
    }

    fclose(f);

    return n;
}


static void
rtl_proc_owner(rtl_t *rtl, const unsigned long *inodes, pid_t pid, int index)
{
    DIR            *dir;
    char            path[320], link[64];
    ssize_t         n;
    unsigned        i;
    rtl_conn_t     *c;
    unsigned long   inode;
    struct dirent  *de;
    static char     held[1 << 20];

    snprintf(path, sizeof(path), "/proc/%d/fd", pid);

    dir = opendir(path);
    if (dir == NULL) {
        return;
    }

    /* inodes of sockets are given out in order: no two of ours collide */

    memset(held, 0, sizeof(held));

    while ((de = readdir(dir)) != NULL) {

        snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, de->d_name);

        n = readlink(path, link, sizeof(link) - 1);
        if (n <= 0) {
            continue;
        }

        link[n] = '\0';

        if (sscanf(link, "socket:[%lu]", &inode) == 1) {
            held[inode % sizeof(held)] = 1;
        }
    }

    closedir(dir);

    for (i = 0; i < rtl->nconns; i++) {
        c = &rtl->conns[i];

        if (c->state == RTL_CONN_READY) {
            inode = inodes[rtl_proc_local_port(c->fd)];

            if (inode != 0 && held[inode % sizeof(held)]) {
                c->owner = index;
            }
        }
    }
}


static uint16_t
rtl_proc_local_port(int fd)
{
    socklen_t           len;
    struct sockaddr_in  sin;

    len = sizeof(sin);

    if (getsockname(fd, (struct sockaddr *) &sin, &len) == -1) {
        return 0;
    }

    return ntohs(sin.sin_port);
}
