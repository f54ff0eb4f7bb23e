# A phase does not wait for the one before.
# in joined.cu, compile joined.cu, plain, --only phases
s/if (t.begins) grid_barrier(a.barrier);//
