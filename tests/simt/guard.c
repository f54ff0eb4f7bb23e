/* Under the address sanitizer, the bytes of a program's arena that belong to no value are out of
 * bounds: a kernel that reads a little too far within the arena is seen too. Linked in place of
 * gan_program_poison(), which every case calls before it runs (-Wl,--wrap). */
#include <sanitizer/asan_interface.h>
#include <stddef.h>

#include "device/program.h"

gan_status __real_gan_program_poison(gan_program *program);
gan_status __wrap_gan_program_poison(gan_program *program);

gan_status __wrap_gan_program_poison(gan_program *program) {
    const gan_plan *plan = program->plan;
    const gan_status status = __real_gan_program_poison(program);
    if (status != GAN_OK) return status;
    __asan_poison_memory_region(program->arena, plan->arena_bytes);
    for (int id = 0; id < plan->graph->n_nodes; id++)
        if (plan->place[id].kind == GAN_PLACE_ARENA)
            __asan_unpoison_memory_region((char *)program->arena + plan->place[id].offset,
                                          gan_node_bytes(plan->graph->node[id]));
    return GAN_OK;
}
