# Parts are combined before they have been written.
# in norm.cu, compile norm.cu, races, --only norm
/seconds\[k\]\[thread\]/,/if (at.stripe < half)/s/__syncthreads();//
