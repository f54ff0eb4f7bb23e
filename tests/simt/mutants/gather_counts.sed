# Counts are added up before all warps have theirs.
# in gather.cu, compile gather.cu, races, --only gather
/in_warp\[warp\] = /{n;s/__syncthreads();//;}
