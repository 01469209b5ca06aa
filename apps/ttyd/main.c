// SPDX-License-Identifier: MIT
/*
 * ttyd, the terminal server: the event loop.
 *
 * One thread, one loop over exo_reply_wait: calls of clients, ends of opens, interrupts (as
 * notification bits), and deadlines for drawing. Nothing here waits for a client.
 *
 * Asynchronous upcalls stay masked, so that a notification ends reply_wait as an event instead of
 * interrupting code. But the library OS beneath malloc may still take bits it finds pending and
 * make signals of them (bit n is signal n + 1); handlers turn these back into bits. What slips
 * through even so is found by the tick: a device is looked at once a second in any case.
 *
 * Arguments: console=serial leaves screen and keyboard alone; winsize=ROWSxCOLUMNS is the size of
 * the terminal at the other end of the serial line.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <exo/domain.h>
#include <proto/proc.h>
#include <proto/server.h>
#include <proto/start.h>
#include "console.h"
#include "host.h"

#define BIT_UART 41
#define BIT_KEYS 42
#define TICK_NS  1000000000ull

enum { IRQ_KEYS = 1, IRQ_COM2 = 3, IRQ_COM1 = 4 };

static struct tty_server server;
static struct console console;
static exo_handle_t service, irq;
static unsigned uart_line;
static volatile sig_atomic_t taken[64];

static void fail(const char *what, int64_t err)
{
    fprintf(stderr, "ttyd: %s: %s\n", what, exo_error_text(err));
    exit(1);
}

/* --- setting up --- */

static void on_taken(int sig)
{
    taken[sig - 1] = 1;
}

static void own_notifications(void)
{
    static const int bits[] = {40, BIT_UART, BIT_KEYS};
    struct sigaction sa = {.sa_handler = on_taken, .sa_flags = SA_RESTART};

    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        sigaction(bits[i] + 1, &sa, NULL);
    }
    for (int sig = 1; sig < 32; sig++) {
        if (sig != SIGSEGV && sig != SIGBUS && sig != SIGILL && sig != SIGFPE && sig != SIGABRT) {
            signal(sig, SIG_IGN);
        }
    }
    host_ctx()->mask = 1;
}

static uint64_t clock_ns(void)
{
    return exo_clock_ns();
}

static void attach_screen(const uint64_t *extra)
{
    uint64_t mode = extra[TTYD_X_MODE], layout = extra[TTYD_X_LAYOUT];
    uint32_t kind = mode & 0xff, width = mode >> 8 & 0xffff, height = mode >> 24 & 0xffff;
    uint32_t bpp = mode >> 40 & 0xff;
    uint32_t channel = bpp <= 16 ? 5 : 8;
    struct render_format format = {
        .pitch = (uint32_t)layout,
        .bpp = bpp,
        .red_pos = (uint8_t)(layout >> 32),
        .green_pos = (uint8_t)(layout >> 40),
        .blue_pos = (uint8_t)(layout >> 48),
        .red_size = (uint8_t)channel,
        .green_size = (uint8_t)(bpp == 16 ? 6 : channel),
        .blue_size = (uint8_t)channel,
    };
    uint64_t bytes = kind == 1 ? 2ull * width * height : (uint64_t)format.pitch * height;
    uint64_t pages = (bytes + EXO_PAGE_SIZE - 1) / EXO_PAGE_SIZE;
    void *memory;

    if (extra[TTYD_X_SCREEN] == 0 || (kind != 1 && kind != 2) || pages == 0 || pages > 65536) {
        return;
    }
    memory = exo_map(extra[TTYD_X_SCREEN], 0, pages, EXO_R_READ | EXO_R_WRITE);
    if (memory == NULL) {
        fprintf(stderr, "ttyd: the screen's memory cannot be mapped\n");
        return;
    }
    if (kind == 1) {
        console.render.cols = width;
        console.render.rows = height;
    } else if (render_fb_init(&console.render, width, height, &format, memory, bytes) != 0) {
        fprintf(stderr, "ttyd: a framebuffer of this kind is not supported\n");
        return;
    }
    uint32_t cols = console.render.cols, rows = console.render.rows;
    struct render_cell *shadow = malloc((size_t)cols * rows * sizeof(*shadow));
    void *cells = vt_memory(cols, rows) != 0 ? malloc(vt_memory(cols, rows)) : NULL;
    if (shadow == NULL || cells == NULL) {
        fprintf(stderr, "ttyd: no screen of %ux%u\n", cols, rows);
        free(shadow);
        free(cells);
        return;
    }
    if (kind == 1) {
        render_vga_init(&console.render, cols, rows, memory, shadow, &host_io);
    } else {
        render_set_shadow(&console.render, shadow);
    }
    console_attach_screen(&console, cells);
}

static void bind_irq(unsigned line, unsigned bit)
{
    int64_t err = irq != 0 ? exo_irq_bind(irq, line, 1ull << bit) : 0;

    if (err < 0) {
        fprintf(stderr, "ttyd: interrupt %u: %s\n", line, exo_error_text(err));
    } else if (irq != 0) {
        exo_irq_ack(irq, line);
    }
}

/* The half of our memory: the rest is root's, and the screen's. */
static size_t users_memory(void)
{
    struct exo_cap_info info = {.size = sizeof(info), .version = EXO_ABI_VERSION};
    size_t left =
        exo_cap_identify(H_BANK, &info) < 0 ? 0 : (info.length - info.used) * EXO_PAGE_SIZE;

    return left / 2 < TTY_USERS ? left / 2 : TTY_USERS;
}

static void setup(const struct libos_start *start, int argc, char **argv)
{
    bool screen = true;
    unsigned rows = 0, cols = 0;

    for (int i = 1; i < argc; i++) {
        screen &= strcmp(argv[i], "console=serial") != 0;
        if (strncmp(argv[i], "winsize=", 8) == 0) {
            char *x;
            rows = (unsigned)strtoul(argv[i] + 8, &x, 10);
            cols = *x == 'x' ? (unsigned)strtoul(x + 1, NULL, 10) : 0;
        }
    }
    host_ports_add(start->extra[TTYD_X_PS2]);
    host_ports_add(start->extra[TTYD_X_CRTC]);
    uint16_t base = host_ports_add(start->extra[TTYD_X_UART]);
    irq = start->extra[TTYD_X_IRQ];
    tty_server_init(&server, &host_ops, NULL);
    server.users_max = users_memory();
    console_init(&console, &server, &host_io, clock_ns, base);
    if (console.tty == NULL) {
        fail("console", -EXO_ENOMEM);
    }
    if (rows > 0 && rows < 1000 && cols > 0 && cols < 1000) {
        console.line_size = (struct lx_winsize){.ws_row = (uint16_t)rows, .ws_col = (uint16_t)cols};
        tty_set_winsize(console.tty, &console.line_size);
    }
    if (console.uart.present) {
        uart_line = base == 0x2f8 || base == 0x2e8 ? IRQ_COM2 : IRQ_COM1;
        bind_irq(uart_line, BIT_UART);
    }
    if (screen) {
        attach_screen(start->extra);
        console_attach_keyboard(&console);
        if (console.has_keyboard) {
            bind_irq(IRQ_KEYS, BIT_KEYS);
        }
    }
}

static void announce(void)
{
    struct exo_msg m = {.meta = EXO_META(0, 1), .w = {PROC_OP_SERVICE, SERVER_TTYD}};
    int64_t made = exo_endpoint_create(H_BANK);
    int64_t err;

    if (made < 0) {
        fail("endpoint", made);
    }
    service = (exo_handle_t)made;
    host_ctx()->send[0] = (struct exo_send){service, EXO_R_CALL, EXO_SEND_DERIVE};
    err = exo_call(H_INIT, &m);
    if (err < 0 || (int64_t)m.w[0] < 0) {
        fail("init", err < 0 ? err : -EXO_EINVAL);
    }
}

/* --- events --- */

static void take_devices(uint64_t bits)
{
    bool tick = bits == UINT64_MAX;

    if (bits & 1ull << BIT_UART) {
        if (irq != 0 && console.uart.present && !tick) {
            exo_irq_ack(irq, uart_line); /* before serving: what comes meanwhile is told again */
        }
        console_serve_uart(&console);
    }
    if (bits & 1ull << BIT_KEYS) {
        if (irq != 0 && console.has_keyboard && !tick) {
            exo_irq_ack(irq, IRQ_KEYS);
        }
        console_serve_keyboard(&console);
    }
    if ((bits & TTY_NOTIFY_SESSION) && !tick) {
        tty_sessions_check(&server);
    }
}

static uint64_t take_pending(void)
{
    uint64_t bits = __atomic_exchange_n(&host_ctx()->pending, 0, __ATOMIC_SEQ_CST);

    for (int i = 40; i <= BIT_KEYS; i++) {
        if (taken[i]) {
            taken[i] = 0;
            bits |= 1ull << i;
        }
    }
    return bits;
}

/* The open whose capabilities are in the reply under way. */
static struct tty_open *sent;

/* Put the capabilities of a new open into the reply. Without them the open is taken back. */
static uint64_t send_open(struct tty_request *r)
{
    struct tty_open *open = r->opened;
    int64_t cap = host_open_publish(service, open);

    if (cap < 0) {
        tty_close(open);
        memset(r->w, 0, sizeof(r->w));
        r->w[0] = (uint64_t)-ENOMEM;
        return 0;
    }
    struct exo_ctx *ctx = host_ctx();
    ctx->send[0] = (struct exo_send){(exo_handle_t)cap, EXO_R_CALL, EXO_SEND_DERIVE};
    ctx->send[1] = (struct exo_send){host_page_handle(open->tty), EXO_R_READ, EXO_SEND_DERIVE};
    sent = open;
    return 2;
}

static void serve(struct exo_msg *m)
{
    static uint8_t data[TTY_MSG_MAX]; /* asking init overwrites the message page */
    const struct exo_ctx *ctx = host_ctx();
    uint64_t badge = ctx->in_badge;
    struct tty_open *open = badge != 0 ? host_open_by_badge(badge) : NULL;
    struct tty_request r = {.data = data, .in_bytes = EXO_META_BYTES(m->meta)};
    struct tty_caller who;
    uint64_t caps = 0;

    for (unsigned i = 0; i < EXO_META_CAPS(m->meta); i++) {
        exo_cap_delete(ctx->recv[i]); /* nobody needs to send us any */
    }
    memcpy(r.w, m->w, sizeof(r.w));
    memcpy(data, host_message(), r.in_bytes);
    if (badge != 0 && open == NULL) {
        r.w[0] = (uint64_t)-EIO; /* closed under its feet */
    } else if (!host_caller(ctx->in_env, &who)) {
        r.w[0] = (uint64_t)-EPERM; /* not a process */
    } else {
        tty_request(&server, open, &who, &r);
    }
    if (r.opened != NULL) {
        caps = send_open(&r);
    }
    memcpy(host_message(), data, r.out_bytes);
    memcpy(m->w, r.w, sizeof(m->w));
    m->meta = EXO_META(r.out_bytes, caps);
}

static void close_by_handle(exo_handle_t handle)
{
    struct tty_open *open = host_open_by_handle(handle);

    if (open != NULL) {
        host_open_forget(open);
        tty_close(open);
    }
}

/* A caller that died while we served it never gets its open: nothing will tell of its end. */
static void reply_ended(int64_t err)
{
    if (sent != NULL && err < 0 && err != -EXO_ETIMEDOUT) {
        host_open_forget(sent);
        tty_close(sent);
    }
    sent = NULL;
}

static void loop(void)
{
    struct exo_msg m = {.meta = EXO_REPLY_NONE};
    uint64_t next_tick = 0;

    for (;;) {
        uint64_t now, due;

        take_devices(take_pending());
        due = console_poll(&console);
        now = exo_clock_ns();
        if (now >= next_tick) {
            take_devices(UINT64_MAX);
            due = console_poll(&console);
            next_tick = now + TICK_NS;
        }
        int64_t err = exo_reply_wait(service, &m, due < next_tick ? due : next_tick);
        reply_ended(err);
        uint64_t event = err < 0 ? EXO_EV_NONE : host_ctx()->in_kind;
        if (event == EXO_EV_CALL) {
            serve(&m);
            continue;
        }
        if (event == EXO_EV_CHILDLESS) {
            close_by_handle(host_ctx()->in_handle);
        }
        m.meta = EXO_REPLY_NONE;
    }
}

int main(int argc, char **argv)
{
    const struct libos_start *start = (const struct libos_start *)getauxval(AT_EXO_START);

    if (start == NULL || start->magic != LIBOS_START_MAGIC) {
        fprintf(stderr, "ttyd: is started by init\n");
        return 2;
    }
    own_notifications();
    setup(start, argc, argv);
    announce();
    loop();
}
