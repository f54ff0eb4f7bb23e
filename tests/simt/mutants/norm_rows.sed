# One row too many is read.
# in norm_sums.cuh, compile norm.cu, asan, --only norm
s/if (row < p.rows) {/if (row <= p.rows) {/
