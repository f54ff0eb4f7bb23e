# A tile is filled while it is read.
# in fold.cuh, compile joined.cu, races, --only fold
s/if (a.turned) __syncthreads();//
