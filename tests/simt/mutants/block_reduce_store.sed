# The warps' parts are read before all have been written.
# in common.cuh, compile loss.cu, races, --only loss
/if (lane == 0) part\[warp\] = v;/{n;s/__syncthreads();//;}
