# A tile is read before it is filled.
# in permute.cu, compile permute.cu, races, --only permute
s/__syncthreads();//
