/* Frames: references and pools, with threads that make, pass on and free them. */
#include <assert.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/frame.h"

#define FRAMES 20000
#define RING 64

static const uint32_t sizes[] = {0, 60, 128, 129, 512, 513, 1514, 2048, 2049, 65562};

static void a_frame_has_the_room_that_was_asked_for_and_starts_empty(void **state)
{
    struct frame *f[ARRAY_LEN(sizes)];
    (void)state;
    for (unsigned round = 0; round < 3; round++) { /* new ones, then used ones */
        for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
            f[i] = frame_new(sizes[i]);
            assert_true(f[i]->cap >= sizes[i]);
            assert_int_equal(f[i]->len, 0);
            assert_int_equal(f[i]->offload.gso, 0);
            assert_null(f[i]->origin.guest);
            memset(f[i]->data, 0xa5, f[i]->cap);
            f[i]->offload.gso = 1;
            f[i]->origin.guest = "x";
        }
        assert_int_equal(frame_alive(), ARRAY_LEN(sizes));
        for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
            frame_unref(f[i]);
        assert_int_equal(frame_alive(), 0);
    }
}

static void the_last_reference_frees(void **state)
{
    struct frame *f = frame_from("abc", 3);
    (void)state;
    frame_ref(f);
    frame_unref(f);
    assert_int_equal(frame_alive(), 1);
    assert_memory_equal(f->data, "abc", 3);
    frame_unref(f);
    frame_unref(NULL);
    assert_int_equal(frame_alive(), 0);
}

/* A bounded queue from one thread to another. */
struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct frame *ring[RING];
    unsigned head, n;
};

static void queue_put(struct queue *q, struct frame *f)
{
    pthread_mutex_lock(&q->lock);
    while (q->n == RING)
        pthread_cond_wait(&q->changed, &q->lock);
    q->ring[(q->head + q->n++) % RING] = f;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}

static struct frame *queue_take(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    while (q->n == 0)
        pthread_cond_wait(&q->changed, &q->lock);
    struct frame *f = q->ring[q->head++ % RING];
    q->n--;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    return f;
}

/* Make frames, keep a reference to some for a while, and check that nobody else writes them. */
static void *make(void *opaque)
{
    struct queue *q = opaque;
    struct frame *kept[16] = {0};

    for (uint32_t i = 0; i < FRAMES; i++) {
        struct frame *f = frame_new(sizes[1 + i % 8]);
        f->len = 4;
        store_le32(f->data, i);
        struct frame **slot = &kept[i % ARRAY_LEN(kept)];
        assert(!*slot || load_le32((*slot)->data) == i - ARRAY_LEN(kept));
        frame_unref(*slot);
        *slot = frame_ref(f);
        queue_put(q, f);
    }
    for (unsigned i = 0; i < ARRAY_LEN(kept); i++)
        frame_unref(kept[i]);
    return NULL;
}

static void *use(void *opaque)
{
    struct queue *q = opaque;

    for (uint32_t i = 0; i < FRAMES; i++) {
        struct frame *f = queue_take(q);
        assert(load_le32(f->data) == i);
        frame_unref(f);
    }
    return NULL;
}

static void frames_made_on_one_thread_are_freed_on_another(void **state)
{
    struct queue queues[2];
    pthread_t threads[4];
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        queues[i] = (struct queue){.n = 0};
        pthread_mutex_init(&queues[i].lock, NULL);
        pthread_cond_init(&queues[i].changed, NULL);
        assert_int_equal(pthread_create(&threads[2 * i], NULL, make, &queues[i]), 0);
        assert_int_equal(pthread_create(&threads[2 * i + 1], NULL, use, &queues[i]), 0);
    }
    struct frame *mine = frame_new(60);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(frame_alive(), 1); /* the threads have ended; their counts remain */
    frame_unref(mine);
    assert_int_equal(frame_alive(), 0);
}

static void *make_one(void *opaque)
{
    *(struct frame **)opaque = frame_new(60);
    return NULL;
}

static void what_a_thread_leaves_behind_is_still_counted(void **state)
{
    struct frame *left;
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, make_one, &left), 0);
    pthread_join(thread, NULL);
    assert_int_equal(frame_alive(), 1);
    frame_unref(left);
    assert_int_equal(frame_alive(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_has_the_room_that_was_asked_for_and_starts_empty),
        cmocka_unit_test(the_last_reference_frees),
        cmocka_unit_test(frames_made_on_one_thread_are_freed_on_another),
        cmocka_unit_test(what_a_thread_leaves_behind_is_still_counted),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
