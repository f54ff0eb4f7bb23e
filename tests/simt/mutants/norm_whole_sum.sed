# Of a sum that is read again only the first operand is.
# in norm_whole.cuh, compile norm_whole.cu, plain, --only norm/167
s/if (!a.up.sum) add(x, low);//
