# A task does not wait for those before it.
# in joined.cuh, compile joined.cu, races, --only loss
/run_task(t, block, t.blocks);/{n;s/__syncthreads();//;}
