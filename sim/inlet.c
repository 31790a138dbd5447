/* Inlets: their registration, and the moment at which the engine lets things in. */
#include "sim/inlet.h"

#include "sim/recording.h"
#include "sim/sim.h"

void inlet_init(struct inlet *in, const struct inlet_ops *ops, struct sim *s)
{
    *in = (struct inlet){.ops = ops, .sim = s, .id = s->n_inlets};
    array_reserve(s->inlets, &s->cap_inlets, s->n_inlets + 1);
    s->inlets[s->n_inlets++] = in;
}

void inlet_finish(struct inlet *in)
{
    struct sim *s = in->sim;

    for (uint32_t i = 0; in->poked && i < s->n_poked; i++)
        if (s->poked[i] == in)
            s->poked[i] = s->poked[--s->n_poked];
    s->inlets[in->id] = NULL;
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

/* Once for each time: what is let in at `now` comes before what the run itself does at `now`. */
void inlets_admit(struct sim *s)
{
    if (s->now == s->admitted_at)
        return;
    s->admitted_at = s->now;
    if (s->playback)
        playback_play(s->playback, s);
    uint32_t n = s->n_poked; /* who pokes again now is let in at the next barrier */
    if (!n)
        return;
    for (uint32_t i = 0; i < n; i++) {
        struct inlet *in = s->poked[i];
        in->poked = false;
        in->ops->admit(in);
    }
    s->n_poked -= n;
    memmove(s->poked, s->poked + n, s->n_poked * sizeof(struct inlet *));
}
