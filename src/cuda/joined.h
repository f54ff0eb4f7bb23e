/* Rules of joined launches: which calls are tasks, and what a task is given. */
#ifndef GANC_CUDA_JOINED_H
#define GANC_CUDA_JOINED_H

#include "device/backend.h"
#include "kernels/launch.h"

/* A block takes this many numbers in less time than a launch; of more, blocks of their own. */
enum { GAN_CUDA_SMALL = 4096 };

bool gan_cuda_is_small(gan_shape shape);

/* Whether the general task can run the node's program over values of `shape`. */
bool gan_cuda_program_fits(const gan_node *node, gan_shape shape);

void gan_cuda_set_program(gan_launch_task_program *to, const gan_launch_program *from);

/* Sums and maxima (joined_reduce.c). Joins: by how many tasks; tasks: makes them, and returns how
 * many. */
gan_join gan_cuda_reduce_joins(const gan_node *node);
int gan_cuda_reduce_tasks(const gan_call *call, gan_launch_task *task);

/* Counters of a launch that a task of the node takes. */
int gan_cuda_reduce_counters(const gan_node *node);

#endif
