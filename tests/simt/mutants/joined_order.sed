# A task does not wait for those before it.
# in joined.cu, compile joined.cu, races, --only loss
/run(t, 0, 1);/{n;s/__syncthreads();//;}
