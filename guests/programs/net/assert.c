/* What lwIP does when it finds itself in a state it should not be in. */
#include "base/boot.h"
#include "lwip/arch.h"

void lwip_assert_failed(const char *what)
{
    panic("lwip: %s", what);
}
