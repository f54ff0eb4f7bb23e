# Stripes are added before they have been written.
# in power.cu, compile power.cu, races, --only update
s/__syncthreads();//
