/* Answers: noted with a recorded run, or taken from the recording that is played. */
#include "topo/answers.h"

#include <string.h>

#include "sim/sim.h"

static void play(struct inlet *in, uint8_t kind, vtime_t at, const uint8_t *p, size_t len)
{
    struct answers *a = container_of(in, struct answers, inlet);
    (void)at;
    if (kind != INLET_ANSWER)
        return;
    array_reserve(a->texts, &a->cap, a->n + 1);
    a->texts[a->n++] = xstrndup((const char *)p, len);
}

void answers_init(struct answers *a, struct sim *s)
{
    static const struct inlet_ops ops = {.play = play};
    *a = (struct answers){0};
    inlet_init(&a->inlet, &ops, s);
}

void answers_finish(struct answers *a)
{
    for (uint32_t i = 0; i < a->n; i++)
        free(a->texts[i]);
    free(a->texts);
    inlet_finish(&a->inlet);
    *a = (struct answers){0};
}

char *answers_take(struct answers *a, char *live)
{
    if (!inlet_played(&a->inlet)) {
        inlet_note(&a->inlet, INLET_ANSWER, a->inlet.sim->now, live, strlen(live));
        return live;
    }
    free(live);
    if (!a->n)
        return xstrdup("");
    char *text = a->texts[0];
    memmove(a->texts, a->texts + 1, --a->n * sizeof(*a->texts));
    return text;
}
