/*
 * Inlets: their registration, and the moment at which the engine lets things in.
 *
 *     INLET_ANSWER   there was one u8 | text
 */
#include "sim/inlet.h"

#include "sim/recording.h"
#include "sim/sim.h"

void inlet_init(struct inlet *in, const struct inlet_ops *ops, struct sim *s)
{
    *in = (struct inlet){.ops = ops, .sim = s, .id = s->n_inlets};
    array_reserve(s->inlets, &s->cap_inlets, s->n_inlets + 1);
    s->inlets[s->n_inlets++] = in;
    if (s->playback)
        playback_greet(s->playback, in);
}

/* Leaves its place in the engine's list empty: that may be being worked through. */
void inlet_finish(struct inlet *in)
{
    struct sim *s = in->sim;

    for (uint32_t i = 0; in->poked && i < s->n_poked; i++)
        if (s->poked[i] == in)
            s->poked[i] = NULL;
    s->inlets[in->id] = NULL;
    for (uint32_t i = 0; i < in->n_answers; i++)
        free(in->answers[i]);
    free(in->answers);
    in->answers = NULL;
    in->n_answers = in->cap_answers = 0;
}

void inlet_skip(struct sim *s, uint32_t id)
{
    array_reserve(s->inlets, &s->cap_inlets, MAX(id, 1u));
    while (s->n_inlets < id)
        s->inlets[s->n_inlets++] = NULL;
}

void inlet_poke(struct inlet *in)
{
    struct sim *s = in->sim;

    if (in->poked)
        return;
    in->poked = true;
    array_reserve(s->poked, &s->cap_poked, s->n_poked + 1);
    s->poked[s->n_poked++] = in;
}

void inlet_note(struct inlet *in, uint8_t kind, vtime_t at, const void *p, size_t len)
{
    if (in->sim->recording)
        recording_note(in->sim->recording, in->id, kind, at, p, len);
}

bool inlet_played(const struct inlet *in)
{
    return in->sim->playback != NULL;
}

/* --- answers --- */

static void answer_note(struct inlet *in, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    uint8_t *e = xmalloc(1 + len);

    e[0] = text != NULL;
    if (len)
        memcpy(e + 1, text, len);
    inlet_note(in, INLET_ANSWER, in->sim->now, e, 1 + len);
    free(e);
}

char *inlet_answer(struct inlet *in, char *live)
{
    char *answer = live;

    if (!inlet_played(in)) {
        answer_note(in, live);
        return answer;
    }
    free(live);
    if (!in->n_answers)
        return NULL;
    answer = in->answers[0];
    memmove(in->answers, in->answers + 1, --in->n_answers * sizeof(*in->answers));
    return answer;
}

void inlet_play(struct inlet *in, uint8_t kind, vtime_t at, const uint8_t *p, size_t len)
{
    if (kind == INLET_ANSWER) {
        array_reserve(in->answers, &in->cap_answers, in->n_answers + 1);
        in->answers[in->n_answers++] = len && p[0] ? xstrndup((const char *)p + 1, len - 1) : NULL;
    } else if (in->ops->play) {
        in->ops->play(in, kind, at, p, len);
    }
}

/* --- barriers --- */

/* Once for each time: what is let in at `now` comes before what the run itself does at `now`. */
void inlets_admit(struct sim *s)
{
    if (s->now == s->admitted_at)
        return;
    s->admitted_at = s->now;
    if (s->playback)
        playback_play(s->playback, s, false);
    uint32_t n = s->n_poked; /* who pokes again now is let in at the next barrier */
    if (!n)
        return;
    for (uint32_t i = 0; i < n; i++) {
        struct inlet *in = s->poked[i];
        if (!in)
            continue;
        in->poked = false;
        if (in->ops->admit)
            in->ops->admit(in);
    }
    s->n_poked -= n;
    if (s->n_poked)
        memmove(s->poked, s->poked + n, s->n_poked * sizeof(struct inlet *));
}
