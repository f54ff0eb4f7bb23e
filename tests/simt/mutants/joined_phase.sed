# A phase does not wait for the one before.
# in joined.cuh, compile joined.cu, plain, --only phases
s/if (t.begins) grid_barrier(a.barrier);//
