/* Redirections of the user-mode stack, both ways, with the host's end in this test. */
#include "tests/uplinks/user_rig.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "devices/uplinks/user_folder.h"
#include "devices/uplinks/user_stack.h"
#include "sim/recording.h"

#define SERVER 0x0a000264u /* 10.0.2.100 */

/* --- the host's end --- */

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static int host_connect(unsigned port)
{
    struct sockaddr_in a = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    close(fd);
    return -1;
}

static int host_connect_unix(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    close(fd);
    return -1;
}

static int host_listen(unsigned *port)
{
    struct sockaddr_in a = loopback(0);
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 8), 0);
    getsockname(fd, (struct sockaddr *)&a, &len);
    *port = ntohs(a.sin_port);
    return fd;
}

/* Whether a descriptor becomes readable while the run goes on, within some seconds. */
static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    time_t last = time(NULL) + 10;

    while (poll(&p, 1, 0) == 0 && time(NULL) < last)
        user_pass(NS_PER_MS);
    return p.revents != 0;
}

/* What comes is that text. */
static void assert_receives(int fd, const char *text)
{
    char got[256];
    size_t n = 0;

    while (n < strlen(text)) {
        assert_true(readable(fd));
        ssize_t part = recv(fd, got + n, sizeof(got) - n, 0);
        assert_true(part > 0);
        n += (size_t)part;
    }
    assert_memory_equal(got, text, n);
}

static void assert_ends(int fd)
{
    char c;

    assert_true(readable(fd));
    assert_true(recv(fd, &c, 1, 0) <= 0);
    close(fd);
}

static bool guest_got(const char *text)
{
    time_t last = time(NULL) + 10;

    while (user_tcp.n_got < strlen(text) && time(NULL) < last)
        user_pass(NS_PER_MS);
    return user_tcp.n_got == strlen(text) && memcmp(user_tcp.got, text, strlen(text)) == 0;
}

static unsigned count_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void start_hostfwd(const char *rule)
{
    user_start(&(struct user_options){.hostfwd = &rule, .n_hostfwd = 1});
    user_tcp.echoes = true;
}

static void start_guestfwd(const char *rule)
{
    user_start(&(struct user_options){.guestfwd = &rule, .n_guestfwd = 1});
    user_get_address();
}

/* The port in a list of one redirection. */
static unsigned listed_port(void)
{
    char *list = user_hostfwd_list(user_stack), *space = strrchr(list, ' ');
    unsigned port = space ? (unsigned)atoi(space + 1) : 0;

    free(list);
    return port;
}

/* --- from the host --- */

static void a_redirection_reaches_the_guest_and_makes_the_network_live(void **state)
{
    (void)state;
    start_hostfwd("tcp:127.0.0.1:0-:80");
    assert_int_equal(user_rig.sim.n_live, 1);
    assert_true(listed_port() > 0);
    int fd = host_connect(listed_port());
    assert_true(fd >= 0);
    assert_int_equal(send(fd, "hello", 5, 0), 5);
    assert_receives(fd, "hello");
    assert_int_equal(user_tcp.port, 80);
    assert_int_equal(user_tcp.peer, ROUTER);
    shutdown(fd, SHUT_WR);
    assert_ends(fd);
    user_finish();
}

static void udp_reaches_the_guest(void **state)
{
    (void)state;
    start_hostfwd("udp:127.0.0.1:0-10.0.2.15:9");
    struct sockaddr_in a = loopback(listed_port());
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    time_t last = time(NULL) + 10;
    sendto(fd, "datagram", 8, 0, (struct sockaddr *)&a, sizeof(a));
    while (!user_seen.n_udp && time(NULL) < last)
        user_pass(NS_PER_MS);
    assert_int_equal(user_seen.n_udp, 1);
    assert_int_equal(user_seen.udp_len, 8);
    assert_memory_equal(user_seen.udp, "datagram", 8);
    close(fd);
    user_finish();
}

static void a_path_reaches_the_guest_and_goes_with_the_stack(void **state)
{
    char path[64], rule[96];
    struct err err = {0};
    struct stat st;
    (void)state;
    snprintf(path, sizeof(path), "/tmp/lanarium-test-%d", (int)getpid());
    snprintf(rule, sizeof(rule), "unix:%s-:80", path);
    for (unsigned i = 0; i < 2; i++) {
        start_hostfwd(rule);
        int fd = host_connect_unix(path);
        assert_true(fd >= 0);
        assert_int_equal(send(fd, "hello", 5, 0), 5);
        assert_receives(fd, "hello");
        close(fd);
        /* Somebody listens there now. */
        assert_int_equal(user_hostfwd_add(user_stack, rule, "t", 1, &err), -1);
        assert_non_null(strstr(err.texts[i], "cannot listen at /tmp/lanarium-test-"));
        user_finish();
        assert_int_equal(lstat(path, &st), -1);
        /* What a crash leaves is no obstacle. */
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
        close(fd);
    }
    unlink(path);
    err_finish(&err);
}

static void ipv6_is_listened_on(void **state)
{
    const char *rule = "tcp:[::1]:0-[fec0::15]:80";
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    (void)state;
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
        skip();
    close(fd);
    user_start(&(struct user_options){.ipv6 = true, .hostfwd = &rule, .n_hostfwd = 1});
    a.sin6_port = htons((uint16_t)listed_port());
    assert_true(a.sin6_port != 0);
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    user_pass(50 * NS_PER_MS);
    close(fd);
    user_finish();
}

static void redirections_come_and_go(void **state)
{
    struct err err = {0};
    char rule[64];
    (void)state;
    user_start(&(struct user_options){.line = 0});
    assert_int_equal(user_rig.sim.n_live, 0);
    int port = user_hostfwd_add(user_stack, "tcp:127.0.0.1:0-:80", NULL, 0, &err);
    assert_true(port > 0);
    user_pass(NS_PER_MS);
    assert_int_equal(user_rig.sim.n_live, 1);
    user_tcp.echoes = true;
    int fd = host_connect((unsigned)port);
    assert_int_equal(send(fd, "x", 1, 0), 1);
    assert_receives(fd, "x");
    snprintf(rule, sizeof(rule), "tcp:127.0.0.1:%d", port); /* as it became */
    assert_true(user_hostfwd_remove(user_stack, rule, NULL, 0, &err));
    assert_int_equal(host_connect((unsigned)port), -1);
    assert_int_equal(send(fd, "y", 1, 0), 1); /* what was there stays */
    assert_receives(fd, "y");
    close(fd);
    assert_int_equal(err.n, 0);
    assert_false(user_hostfwd_remove(user_stack, rule, "t", 3, &err));
    assert_non_null(strstr(err.texts[0], "there is no such redirection"));
    assert_int_equal(user_hostfwd_add(user_stack, "tcp:1", "t", 3, &err), -1);
    assert_non_null(strstr(err.texts[1], "t:3: hostfwd \"tcp:1\" is not of the form"));
    err_finish(&err);
    user_finish();
}

static void a_port_that_is_taken_is_one_sentence(void **state)
{
    struct err err = {0};
    unsigned port;
    char rule[64];
    const char *rules = rule;
    (void)state;
    int fd = host_listen(&port);
    snprintf(rule, sizeof(rule), "tcp:127.0.0.1:%u-:80", port);
    rig_init(&user_rig, NULL);
    assert_null(user_create(
        &user_rig.sim, "gw",
        &(struct user_options){.hostfwd = &rules, .n_hostfwd = 1, .file = "lan.lua", .line = 4},
        &err));
    assert_int_equal(err.n, 1);
    assert_non_null(strstr(err.texts[0], "lan.lua:4: hostfwd \"tcp:127.0.0.1:"));
    assert_non_null(strstr(err.texts[0], "Address already in use"));
    err_finish(&err);
    close(fd);
    rig_finish(&user_rig);
}

static void a_thousand_connections_leak_nothing(void **state)
{
    unsigned before = 0;
    size_t memory = 0;
    (void)state;
    start_hostfwd("tcp:127.0.0.1:0-:80");
    unsigned port = listed_port();
    for (unsigned i = 0; i < 1000; i++) {
        if (i == 100) { /* by now what stays for good is there */
            before = count_descriptors();
            memory = mallinfo2().uordblks;
        }
        int fd = host_connect(port);
        user_client->n_seen = 0;
        assert_true(fd >= 0);
        assert_int_equal(send(fd, "x", 1, 0), 1);
        assert_receives(fd, "x");
        user_tcp_end(); /* the guest ends first, so that nothing waits for late segments */
        assert_ends(fd);
        for (unsigned j = 0; j < 20 && !user_tcp.fin; j++)
            user_pass(NS_PER_MS / 2);
    }
    assert_int_equal(user_tcp.n_opened, 1000);
    user_pass(20 * NS_PER_MS);
    assert_in_range(count_descriptors(), before - 2, before + 2);
    assert_true(mallinfo2().uordblks < memory + (2u << 20)); /* the rig keeps 64 bytes a frame */
    user_finish();
}

/* --- to the host --- */

static void each_connection_of_a_guest_is_one_of_the_hosts(void **state)
{
    unsigned port;
    char rule[64];
    (void)state;
    int listener = host_listen(&port);
    snprintf(rule, sizeof(rule), "tcp:10.0.2.100:80-tcp:127.0.0.1:%u", port);
    start_guestfwd(rule);
    assert_int_equal(user_rig.sim.n_live, 0); /* nothing is open until a guest opens it */
    for (unsigned i = 0; i < 2; i++) {
        assert_true(user_connect(SERVER, 80));
        user_tcp_send("question");
        assert_true(readable(listener));
        int fd = accept(listener, NULL, NULL);
        assert_receives(fd, "question");
        assert_int_equal(send(fd, "answer", 6, 0), 6);
        assert_true(guest_got("answer"));
        user_tcp_end();
        assert_ends(fd);
        assert_true(user_pass_until(&user_tcp.fin));
    }
    close(listener);
    assert_true(user_connect(SERVER, 80)); /* nobody there any more: it ends at once */
    user_pass_until(&user_tcp.fin);
    assert_true(user_tcp.fin || user_tcp.reset);
    char *info = user_info(user_stack);
    assert_non_null(strstr(info, ": 0 open, 3 opened, 1 failed\n"));
    free(info);
    user_finish();
}

static void a_guest_reaches_a_path(void **state)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char rule[160];
    (void)state;
    snprintf(a.sun_path, sizeof(a.sun_path), "/tmp/lanarium-test-%d", (int)getpid());
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(listener, 8), 0);
    snprintf(rule, sizeof(rule), "tcp:10.0.2.100:80-unix:%s", a.sun_path);
    start_guestfwd(rule);
    assert_true(user_connect(SERVER, 80));
    user_tcp_send("question");
    assert_true(readable(listener));
    int fd = accept(listener, NULL, NULL);
    assert_receives(fd, "question");
    close(fd); /* and it ends from there */
    user_pass_until(&user_tcp.fin);
    assert_true(user_tcp.fin || user_tcp.reset);
    close(listener);
    unlink(a.sun_path);
    user_finish();
}

static void a_command_speaks_to_each_connection(void **state)
{
    (void)state;
    start_guestfwd("tcp:10.0.2.100:7-cmd:read x; echo \"you said $x\"");
    for (unsigned i = 0; i < 3; i++) {
        assert_true(user_connect(SERVER, 7));
        user_tcp_send("hello\n");
        assert_true(guest_got("you said hello\n"));
        assert_true(user_pass_until(&user_tcp.fin));
        user_tcp_end();
    }
    user_pass(50 * NS_PER_MS);
    assert_int_equal(user_stack_of(user_stack)->n_lines, 0);
    user_finish();
}

static void commands_that_run_are_ended_with_the_stack(void **state)
{
    char rule[128], path[64];
    int pid = 0;
    (void)state;
    snprintf(path, sizeof(path), "/tmp/lanarium-test-%d", (int)getpid());
    snprintf(rule, sizeof(rule), "tcp:10.0.2.100:7-cmd:echo $$ >%s; echo hi; sleep 600", path);
    start_guestfwd(rule);
    assert_true(user_connect(SERVER, 7));
    assert_true(guest_got("hi\n"));
    FILE *f = fopen(path, "r");
    assert_int_equal(fscanf(f, "%d", &pid), 1);
    fclose(f);
    unlink(path);
    assert_int_equal(kill(pid, 0), 0);
    user_finish();
    assert_int_equal(kill(pid, 0), -1);
}

/* What it has begun it may finish. */
static void a_command_is_told_that_its_connection_is_over(void **state)
{
    char rule[160], path[64];
    struct stat st = {.st_size = 0};
    (void)state;
    snprintf(path, sizeof(path), "/tmp/lanarium-test-%d", (int)getpid());
    snprintf(rule, sizeof(rule),
             "tcp:10.0.2.100:7-cmd:trap 'echo over >%s; exit' HUP; exec <&- >&-; sleep 600 & wait",
             path);
    start_guestfwd(rule);
    assert_true(user_connect(SERVER, 7));
    assert_true(user_pass_until(&user_tcp.fin));
    user_tcp_end();
    for (unsigned i = 0; i < 1000 && user_stack_of(user_stack)->n_lines; i++)
        user_pass(NS_PER_MS);
    assert_int_equal(user_stack_of(user_stack)->n_lines, 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 5);
    unlink(path);
    user_finish();
}

static void what_a_guest_does_not_read_fills_its_own_buffers_only(void **state)
{
    (void)state;
    start_guestfwd("tcp:10.0.2.100:7-cmd:exec cat /dev/zero");
    assert_true(user_connect(SERVER, 7));
    size_t before = mallinfo2().uordblks;
    for (unsigned i = 0; i < 50; i++) {
        user_client->n_seen = 0;
        user_pass(NS_PER_MS);
    }
    assert_true(user_tcp.n_got > 0);
    assert_true(mallinfo2().uordblks < before + (2u << 20));
    user_finish();
}

static void connections_through_doors_leak_nothing(void **state)
{
    unsigned before = 0;
    (void)state;
    start_guestfwd("tcp:10.0.2.100:7-cmd:true");
    for (unsigned i = 0; i < 60; i++) {
        if (i == 10)
            before = count_descriptors();
        user_client->n_seen = 0;
        assert_true(user_connect(SERVER, 7));
        assert_true(user_pass_until(&user_tcp.fin));
        user_tcp_end();
        for (unsigned j = 0; j < 100 && user_stack_of(user_stack)->n_lines; j++)
            user_pass(NS_PER_MS);
    }
    assert_int_equal(user_stack_of(user_stack)->n_lines, 0);
    /* libslirp's ends wait for late segments. */
    for (unsigned i = 0; i < 400 && count_descriptors() > before + 2; i++)
        user_pass(50 * NS_PER_MS);
    assert_true(count_descriptors() <= before + 2);
    user_finish();
}

/* --- the private folder --- */

static bool gone(const char *path)
{
    struct stat st;
    time_t last = time(NULL) + 10;

    while (lstat(path, &st) == 0 && time(NULL) < last)
        usleep(20000);
    return lstat(path, &st) != 0;
}

static void the_folder_is_private_and_goes(void **state)
{
    struct stat st;
    (void)state;
    start_guestfwd("tcp:10.0.2.100:7-cmd:cat");
    char *path = xstrdup(user_stack_of(user_stack)->folder->path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    user_finish();
    assert_int_equal(lstat(path, &st), -1);
    free(path);
}

static void the_folder_goes_when_the_process_is_killed(void **state)
{
    char path[128] = "";
    int ends[2], status;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct user_folder *f = user_folder_make();
        if (write(ends[1], f->path, strlen(f->path)) > 0)
            raise(SIGKILL);
        _exit(1);
    }
    assert_true(read(ends[0], path, sizeof(path) - 1) > 0);
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_true(gone(path));
    close(ends[0]);
    close(ends[1]);
}

/* --- recordings --- */

static char record_path[] = "/tmp/lanarium-recording-XXXXXX";

static void record(struct sim *s)
{
    struct err err = {0};

    s->recording = recording_create(record_path, "", &err);
    assert_non_null(s->recording);
}

static void replay(struct sim *s)
{
    struct err err = {0};

    s->playback = playback_open(record_path, &err);
    assert_non_null(s->playback);
}

static void a_recording_answers_as_the_stack_did(void **state)
{
    struct err err = {0};
    const char *rule = "tcp:127.0.0.1:0-:80";
    (void)state;
    close(mkstemp(record_path));
    user_start_with(&(struct user_options){.line = 0}, record, false);
    int port = user_hostfwd_add(user_stack, rule, NULL, 0, &err);
    char *list = user_hostfwd_list(user_stack), *info = user_info(user_stack);
    assert_true(user_hostfwd_remove(user_stack, rule, NULL, 0, &err));
    assert_int_equal(user_hostfwd_add(user_stack, "x", "t", 9, &err), -1);
    user_pass(5 * NS_PER_MS);
    assert_true(recording_close(user_rig.sim.recording, user_rig.sim.now, &err));
    user_finish();

    user_start_with(NULL, replay, true);
    user_pass(NS_PER_MS);
    assert_int_equal(user_hostfwd_add(user_stack, rule, NULL, 0, &err), port);
    char *list2 = user_hostfwd_list(user_stack), *info2 = user_info(user_stack);
    assert_string_equal(list2, list);
    assert_string_equal(info2, info);
    assert_true(user_hostfwd_remove(user_stack, rule, NULL, 0, &err));
    assert_int_equal(user_hostfwd_add(user_stack, "x", "t", 9, &err), -1);
    assert_int_equal(err.n, 2);
    assert_string_equal(err.texts[0], err.texts[1]);
    playback_close(user_rig.sim.playback, &err);
    user_finish();
    unlink(record_path);
    err_finish(&err);
    free(list);
    free(list2);
    free(info);
    free(info2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_redirection_reaches_the_guest_and_makes_the_network_live),
        cmocka_unit_test(udp_reaches_the_guest),
        cmocka_unit_test(a_path_reaches_the_guest_and_goes_with_the_stack),
        cmocka_unit_test(ipv6_is_listened_on),
        cmocka_unit_test(redirections_come_and_go),
        cmocka_unit_test(a_port_that_is_taken_is_one_sentence),
        cmocka_unit_test(a_thousand_connections_leak_nothing),
        cmocka_unit_test(each_connection_of_a_guest_is_one_of_the_hosts),
        cmocka_unit_test(a_guest_reaches_a_path),
        cmocka_unit_test(a_command_speaks_to_each_connection),
        cmocka_unit_test(commands_that_run_are_ended_with_the_stack),
        cmocka_unit_test(a_command_is_told_that_its_connection_is_over),
        cmocka_unit_test(what_a_guest_does_not_read_fills_its_own_buffers_only),
        cmocka_unit_test(connections_through_doors_leak_nothing),
        cmocka_unit_test(the_folder_is_private_and_goes),
        cmocka_unit_test(the_folder_goes_when_the_process_is_killed),
        cmocka_unit_test(a_recording_answers_as_the_stack_did),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("user redirections", tests, NULL, NULL);
}
