# The last rows of a chunk are missed.
# in norm_grad.cu, compile norm_grad.cu, plain, --only norm
s/rows = min(a.chunk, a.rows - begin);/rows = min(a.chunk, a.rows - begin - 1);/
