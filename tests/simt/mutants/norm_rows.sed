# One row too many is read.
# in norm.cu, compile norm.cu, asan, --only norm
s/if (row < rows) {/if (row <= rows) {/
