/* lanarium image: fetch and build images of real software, by a script of its own. */
#include <errno.h>
#include <unistd.h>

#include "topo/command.h"
#include "topo/images.h"

int cmd_image(int argc, char **argv)
{
    char *path = program_script("guests/images/image", "image");
    char **args = xcalloc((size_t)argc + 1, sizeof(*args));
    memcpy(args, argv, (size_t)argc * sizeof(*args));
    args[0] = path;
    execv(path, args);
    fprintf(stderr, "lanarium: %s cannot be started: %s\n", path, strerror(errno));
    free(args);
    free(path);
    return EXIT_BAD_INPUT;
}
