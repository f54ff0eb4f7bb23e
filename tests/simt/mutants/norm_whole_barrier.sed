# What others have not brought together yet is read.
# in norm_whole.cuh, compile norm_whole.cu, races, --only norm/149
s/grid_barrier(a.barrier);/__syncthreads();/
