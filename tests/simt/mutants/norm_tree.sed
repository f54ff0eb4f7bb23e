# Parts are combined before they have been written.
# in norm_sums.cuh, compile norm.cu, races, --only norm
/seconds\[k \* NORM_BLOCK + thread\]/,/if (at.stripe < half)/s/__syncthreads();//
