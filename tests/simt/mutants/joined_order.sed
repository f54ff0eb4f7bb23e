# A task does not wait for those before it.
# in joined.cu, compile joined.cu, races, --only loss
/run(t, block, t.blocks);/{n;s/__syncthreads();//;}
