/* Scripts that set TAP interfaces up and down: that they end, how, and what they inherit. */
#include "tap_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/lanarium-tap-XXXXXX";
static char script_path[64], notes_path[64];

/* --- scripts that the tests write --- */

/* A script, which finds the path of the notes in $notes. */
static const char *script(const char *text)
{
    FILE *f = fopen(script_path, "w");

    fprintf(f, "#!/bin/sh\nnotes=%s\n%s\n", notes_path, text);
    fclose(f);
    chmod(script_path, 0755);
    unlink(notes_path);
    return script_path;
}

/* What a script wrote into $notes. */
static const char *notes(void)
{
    static char text[256];
    FILE *f = fopen(notes_path, "r");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

    text[n] = '\0';
    if (f)
        fclose(f);
    return text;
}

static bool is_dead(void)
{
    pid_t pid = atoi(notes());
    char path[64], state = 'X';

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%*d %*s %c", &state) != 1)
        state = 'X';
    if (f)
        fclose(f);
    return pid > 0 && (state == 'X' || state == 'Z');
}

/* It dies soon: it has been killed, and init buries it. */
static void assert_dies(void)
{
    for (unsigned i = 0; i < 500 && !is_dead(); i++)
        usleep(10000);
    assert_true(is_dead());
}

static bool something_failed(void)
{
    fflush(stderr);
    return lseek(2, 0, SEEK_CUR) > 0;
}

static void a_script_gets_the_name_and_then_the_carrier_comes(void **state)
{
    struct tap_options o = tap_rig_options();
    (void)state;

    o.script = script("sleep 0.1; echo \"$# $1\" >$notes; ip link set $1 up");
    assert_non_null(tap_rig_start(&o));
    assert_false(tap_rig_has_carrier());
    tap_rig_until(tap_rig_has_carrier);
    assert_string_equal(notes(), "1 " TAP_RIG_NAME "\n");
    tap_rig_finish();
}

/* The script ends badly: that is said, the run goes on without carrier. */
static void script_fails(const char *text, const char *why)
{
    struct tap_options o = tap_rig_options();
    char *line = xasprintf("lanarium: net.lua:7: tap gw stays without carrier: script %s %s\n",
                           script_path, why);

    o.script = script(text);
    o.timeout_ns = 200 * NS_PER_MS;
    tap_rig_listen();
    assert_non_null(tap_rig_start(&o));
    tap_rig_until(something_failed);
    assert_string_equal(tap_rig_said(), line);
    sim_run(&tap_rig.sim, tap_rig.sim.now + 10 * NS_PER_MS);
    assert_false(tap_rig_has_carrier());
    tap_rig_finish();
    free(line);
}

static void a_script_that_fails_leaves_it_without_carrier(void **state)
{
    (void)state;
    script_fails("exit 3", "failed: exit status 3");
    script_fails("kill -TERM $$", "was ended by signal 15 (Terminated)");
}

static void a_script_that_hangs_is_killed_with_all_it_started(void **state)
{
    (void)state;
    script_fails("sleep 1000 & echo $! >$notes; wait",
                 "had not ended after 200ms, and was killed; script_timeout allows more");
    assert_dies();
}

static void a_script_without_its_interpreter_cannot_be_started(void **state)
{
    struct tap_options o = tap_rig_options();
    (void)state;

    FILE *f = fopen(script_path, "w");
    fputs("#!/nonexistent\n", f);
    fclose(f);
    o.script = script_path;
    tap_rig_listen();
    assert_non_null(tap_rig_start(&o));
    tap_rig_until(something_failed);
    assert_non_null(strstr(tap_rig_said(), "cannot be started: No such file or directory"));
    tap_rig_finish();
}

static void a_script_that_is_missing_is_told_before_anything_starts(void **state)
{
    struct tap_options o = tap_rig_options();
    (void)state;

    o.script = "/nonexistent/ifup";
    tap_rig_refused(&o, "script /nonexistent/ifup: No such file or directory");
    o.script = "/tmp";
    tap_rig_refused(&o, "script /tmp is not a file");
    o.script = NULL;
    o.downscript = "/nonexistent/ifdown";
    tap_rig_refused(&o, "downscript /nonexistent/ifdown: No such file or directory");
    assert_int_equal(if_nametoindex(TAP_RIG_NAME), 0);
}

static bool script_has_begun(void)
{
    return *notes() != '\0';
}

static void a_script_still_running_at_the_end_is_killed(void **state)
{
    struct tap_options o = tap_rig_options();
    (void)state;

    o.script = script("sleep 1000 & echo $! >$notes; wait");
    assert_non_null(tap_rig_start(&o));
    tap_rig_until(script_has_begun);
    tap_rig_finish();
    assert_dies();
}

static void the_downscript_runs_at_the_end_and_is_bounded(void **state)
{
    struct tap_options o = tap_rig_options();
    (void)state;

    o.downscript = script("echo \"$1 $(ip -o link show $1 | wc -l)\" >$notes");
    assert_non_null(tap_rig_start(&o));
    tap_rig_finish();
    assert_string_equal(notes(), TAP_RIG_NAME " 1\n"); /* the interface was there */

    o.downscript = script("exec sleep 1000");
    o.timeout_ns = 100 * NS_PER_MS;
    assert_non_null(tap_rig_start(&o));
    tap_rig_listen();
    tap_rig_finish();
    assert_non_null(strstr(tap_rig_said(), "had not ended after 100ms, and was killed"));
}

/* A capture that goes to a program would not end before a script that stays in the background. */
static void scripts_inherit_no_descriptors(void **state)
{
    static const char text[] = "[ ! -e /proc/$$/fd/77 ] && echo good >>$notes";
    struct tap_options o = tap_rig_options();
    (void)state;

    assert_return_code(dup2(open("/dev/null", O_RDONLY), 77), errno);
    o.script = o.downscript = script(text);
    assert_non_null(tap_rig_start(&o));
    assert_return_code(fcntl(77, F_SETFD, 0), errno);
    tap_rig_until(tap_rig_has_carrier);
    assert_return_code(fcntl(77, F_SETFD, 0), errno);
    tap_rig_finish();
    assert_string_equal(notes(), "good\ngood\n");
    close(77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_gets_the_name_and_then_the_carrier_comes),
        cmocka_unit_test(a_script_that_fails_leaves_it_without_carrier),
        cmocka_unit_test(a_script_that_hangs_is_killed_with_all_it_started),
        cmocka_unit_test(a_script_without_its_interpreter_cannot_be_started),
        cmocka_unit_test(a_script_that_is_missing_is_told_before_anything_starts),
        cmocka_unit_test(a_script_still_running_at_the_end_is_killed),
        cmocka_unit_test(the_downscript_runs_at_the_end_and_is_bounded),
        cmocka_unit_test(scripts_inherit_no_descriptors),
    };

    tap_rig_enter();
    if (!mkdtemp(folder))
        return 2;
    snprintf(script_path, sizeof(script_path), "%s/script", folder);
    snprintf(notes_path, sizeof(notes_path), "%s/notes", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(script_path);
    unlink(notes_path);
    rmdir(folder);
    return failed;
}
