// The load's other end: one UDP socket that every call's SDP names. It answers with an RFC 4733 digit and times packets by
// kernel timestamps. A packet is late when it comes more than 40 ms behind its RTP timestamp schedule, counted from the
// earliest packet of its talkspurt.
// usage: sink IP PORT OUT.json [dtmf_after_ms|-1] [uplink 0/1] [digit] [te_pt]
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#define B 256
#define HB 20000 // 0.1 ms buckets up to 2 s
typedef struct {
    uint32_t ssrc;
    uint16_t seq;
    uint32_t ts;
    int64_t first, last;
    int64_t spurt_t;
    uint32_t spurt_ts;
    struct sockaddr_in a;
    uint8_t live, dtmf_state;
    int64_t dtmf_next;
    uint16_t oseq;
    uint32_t ots, ossrc;
    int64_t up_next;
    uint32_t npk;
    uint32_t late30;
} st;
static st *T;
static uint16_t act[65536];
static int nact;
static uint64_t hg[HB + 1], hl[HB + 1], npk, nlost, nreo, ndisc, ncalls, ndtmf, nup, nssrcchg, nlatecalls, nbad, nfin;
static uint64_t rxq_ovfl;
static volatile int stop;
static void on(int s) { stop = 1; }
static int64_t now() {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}
static double pc(uint64_t *h, double p) {
    uint64_t t = 0, c = 0;
    for (int i = 0; i <= HB; i++)
        t += h[i];
    if (!t)
        return -1;
    for (int i = 0; i <= HB; i++) {
        c += h[i];
        if (c >= p * t)
            return i * 0.1;
    }
    return HB * 0.1;
}
static uint64_t above(uint64_t *h, int b) {
    uint64_t c = 0;
    for (int i = b; i <= HB; i++)
        c += h[i];
    return c;
}
static int maxb(uint64_t *h) {
    for (int i = HB; i >= 0; i--)
        if (h[i])
            return i;
    return -1;
}
int main(int c, char **v) {
    if (c < 4)
        return 2;
    const char *ip = v[1];
    int port = atoi(v[2]);
    const char *out = v[3];
    int dtmf_ms = c > 4 ? atoi(v[4]) : -1, up = c > 5 ? atoi(v[5]) : 0;
    int dig = c > 6 ? atoi(v[6]) : 1, te = c > 7 ? atoi(v[7]) : 101;
    signal(SIGTERM, on);
    signal(SIGINT, on);
    T = calloc(65536, sizeof(st));
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in a = {0};
    a.sin_family = AF_INET;
    a.sin_port = htons(port);
    inet_pton(AF_INET, ip, &a.sin_addr);
    if (bind(s, (void *)&a, sizeof a)) {
        perror("bind");
        return 1;
    }
    int rb = 64 << 20;
    setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &rb, sizeof rb);
    setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &rb, sizeof rb);
    int one = 1;
    setsockopt(s, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
    setsockopt(s, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one);
    int tf = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec it = {{0, 2000000}, {0, 2000000}};
    timerfd_settime(tf, 0, &it, 0);
    static uint8_t buf[B][512];
    static char cm[B][128];
    static struct iovec io[B];
    static struct mmsghdr m[B];
    static struct sockaddr_in from[B];
    static uint8_t ob[B][180];
    static struct iovec oio[B];
    static struct mmsghdr om[B];
    struct pollfd p[2] = {{s, POLLIN, 0}, {tf, POLLIN, 0}};
    while (!stop) {
        poll(p, 2, 100);
        if (p[0].revents & POLLIN)
            for (int rounds = 0; rounds < 8; rounds++) {
                for (int i = 0; i < B; i++) {
                    io[i].iov_base = buf[i];
                    io[i].iov_len = 512;
                    memset(&m[i], 0, sizeof m[i]);
                    m[i].msg_hdr.msg_iov = &io[i];
                    m[i].msg_hdr.msg_iovlen = 1;
                    m[i].msg_hdr.msg_name = &from[i];
                    m[i].msg_hdr.msg_namelen = sizeof from[i];
                    m[i].msg_hdr.msg_control = cm[i];
                    m[i].msg_hdr.msg_controllen = 128;
                }
                int n = recvmmsg(s, m, B, MSG_DONTWAIT, 0);
                if (n <= 0)
                    break;
                for (int i = 0; i < n; i++) {
                    int64_t t = 0;
                    for (struct cmsghdr *k = CMSG_FIRSTHDR(&m[i].msg_hdr); k; k = CMSG_NXTHDR(&m[i].msg_hdr, k)) {
                        if (k->cmsg_level == SOL_SOCKET && k->cmsg_type == SO_TIMESTAMPNS) {
                            struct timespec x;
                            memcpy(&x, CMSG_DATA(k), sizeof x);
                            t = x.tv_sec * 1000000000LL + x.tv_nsec;
                        } else if (k->cmsg_level == SOL_SOCKET && k->cmsg_type == SO_RXQ_OVFL) {
                            uint32_t d;
                            memcpy(&d, CMSG_DATA(k), 4);
                            rxq_ovfl = d;
                        }
                    }
                    if (!t)
                        t = now();
                    uint8_t *b = buf[i];
                    if (m[i].msg_len < 12 || (b[0] >> 6) != 2) {
                        nbad++;
                        continue;
                    }
                    int pt = b[1] & 127, mk = b[1] >> 7;
                    if (pt != 8 && pt != 0) {
                        nbad++;
                        continue;
                    }
                    uint16_t seq = b[2] << 8 | b[3];
                    uint32_t ts = (uint32_t)b[4] << 24 | b[5] << 16 | b[6] << 8 | b[7],
                             ss = (uint32_t)b[8] << 24 | b[9] << 16 | b[10] << 8 | b[11];
                    int sp = ntohs(from[i].sin_port);
                    st *q = &T[sp];
                    npk++;
                    if (!q->live || t - q->last > 8000000000LL ||
                        (q->ssrc != ss && t - q->last > 150000000LL && q->dtmf_state >= 9 && dtmf_ms >= 0) ||
                        (q->ssrc != ss && dtmf_ms < 0)) {
                        if (!q->live)
                            act[nact++] = sp;
                        memset(q, 0, sizeof *q);
                        q->live = 1;
                        q->first = t;
                        q->ssrc = ss;
                        q->a = from[i];
                        q->ossrc = rand();
                        q->oseq = rand();
                        q->ots = rand();
                        q->dtmf_next = dtmf_ms >= 0 ? t + dtmf_ms * 1000000LL : INT64_MAX;
                        q->up_next = t;
                        ncalls++;
                        q->spurt_t = t;
                        q->spurt_ts = ts;
                    } else if (q->ssrc != ss) {
                        nssrcchg++;
                        q->ssrc = ss;
                        q->spurt_t = t;
                        q->spurt_ts = ts;
                        ndisc++;
                    } else {
                        int16_t d = seq - q->seq;
                        uint32_t dt = ts - q->ts;
                        if (d <= 0) {
                            nreo++;
                            continue;
                        }
                        if (d > 1)
                            nlost += d - 1;
                        if (mk || dt != 160u * d) {
                            ndisc++;
                            q->spurt_t = t;
                            q->spurt_ts = ts;
                        } else {
                            int64_t g = (t - q->last) / 100000;
                            if (d == 1) {
                                if (g > HB)
                                    g = HB;
                                if (g < 0)
                                    g = 0;
                                hg[g]++;
                            }
                            int64_t late = (t - q->spurt_t) - (int64_t)(ts - q->spurt_ts) * 125000;
                            if (late < 0) {
                                q->spurt_t += late;
                                late = 0;
                            }
                            late /= 100000;
                            if (late > HB)
                                late = HB;
                            hl[late]++;
                            if (late > 400 && !q->late30) {
                                q->late30 = 1;
                                nlatecalls++;
                            }
                        }
                    }
                    q->seq = seq;
                    q->ts = ts;
                    q->last = t;
                    q->npk++;
                }
                if (n < B)
                    break;
            }
        if (p[1].revents & POLLIN) {
            uint64_t x;
            read(tf, &x, 8);
            int64_t t = now();
            int no = 0;
            for (int k = 0; k < nact; k++) {
                st *q = &T[act[k]];
                if (t - q->last > (q->dtmf_state >= 9 || dtmf_ms < 0 ? 1500000000LL : 8000000000LL)) {
                    q->live = 0;
                    nfin++;
                    act[k--] = act[--nact];
                    continue;
                }
                if (t >= q->dtmf_next && q->dtmf_state < 9) {
                    int e = q->dtmf_state >= 6;
                    uint8_t *o = ob[no];
                    int st0 = q->dtmf_state == 0;
                    if (st0) {
                        q->ots += 160;
                    }
                    o[0] = 0x80;
                    o[1] = te | (st0 ? 128 : 0);
                    q->oseq++;
                    o[2] = q->oseq >> 8;
                    o[3] = q->oseq;
                    uint32_t z = htonl(q->ots);
                    memcpy(o + 4, &z, 4);
                    z = htonl(q->ossrc);
                    memcpy(o + 8, &z, 4);
                    int dur = 160 * ((q->dtmf_state < 6 ? q->dtmf_state : 6) + 1);
                    o[12] = dig;
                    o[13] = (e ? 0x80 : 0) | 10;
                    o[14] = dur >> 8;
                    o[15] = dur;
                    oio[no].iov_base = o;
                    oio[no].iov_len = 16;
                    memset(&om[no], 0, sizeof om[no]);
                    om[no].msg_hdr.msg_iov = &oio[no];
                    om[no].msg_hdr.msg_iovlen = 1;
                    om[no].msg_hdr.msg_name = &q->a;
                    om[no].msg_hdr.msg_namelen = sizeof q->a;
                    no++;
                    q->dtmf_state++;
                    q->dtmf_next += e ? 0 : 20000000LL;
                    if (q->dtmf_state == 9) {
                        ndtmf++;
                        q->ots += 1280;
                        q->up_next = t + 20000000LL;
                    }
                } else if (up && t >= q->up_next && (q->dtmf_state == 0 || q->dtmf_state >= 9) &&
                           t - q->last < (q->dtmf_state >= 9 || dtmf_ms < 0 ? 400000000LL : 8000000000LL)) {
                    uint8_t *o = ob[no];
                    o[0] = 0x80;
                    o[1] = 8;
                    q->oseq++;
                    q->ots += 160;
                    o[2] = q->oseq >> 8;
                    o[3] = q->oseq;
                    uint32_t z = htonl(q->ots);
                    memcpy(o + 4, &z, 4);
                    z = htonl(q->ossrc);
                    memcpy(o + 8, &z, 4);
                    memset(o + 12, 0xd5, 160);
                    oio[no].iov_base = o;
                    oio[no].iov_len = 172;
                    memset(&om[no], 0, sizeof om[no]);
                    om[no].msg_hdr.msg_iov = &oio[no];
                    om[no].msg_hdr.msg_iovlen = 1;
                    om[no].msg_hdr.msg_name = &q->a;
                    om[no].msg_hdr.msg_namelen = sizeof q->a;
                    no++;
                    nup++;
                    q->up_next += 20000000LL;
                    if (t - q->up_next > 200000000LL)
                        q->up_next = t;
                }
                if (no == B) {
                    sendmmsg(s, om, no, 0);
                    no = 0;
                }
            }
            if (no)
                sendmmsg(s, om, no, 0);
        }
    }
    FILE *f = fopen(out, "w");
    uint64_t tot = above(hg, 0);
    fprintf(f,
            "{\"packets\":%lu,\"lost\":%lu,\"reordered\":%lu,\"discont\":%lu,\"calls\":%lu,\"dtmf_sent\":%lu,"
            "\"uplink\":%lu,\"ssrc_chg\":%lu,\"bad\":%lu,\"sink_rxq_drop\":%lu,\"gap_ms\":{\"p50\":%.1f,\"p95\":%.1f,"
            "\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f,\"frac_gt30\":%.6f},\"late_ms\":{\"p50\":%.1f,\"p99\":%.1f,"
            "\"p999\":%.1f,\"max\":%.1f},\"calls_late_gt40ms\":%lu}\n",
            npk, nlost, nreo, ndisc, ncalls, ndtmf, nup, nssrcchg, nbad, rxq_ovfl, pc(hg, .5), pc(hg, .95), pc(hg, .99),
            pc(hg, .999), maxb(hg) * 0.1, tot ? (double)above(hg, 300) / tot : 0, pc(hl, .5), pc(hl, .99), pc(hl, .999),
            maxb(hl) * 0.1, nlatecalls);
    fclose(f);
    return 0;
}
