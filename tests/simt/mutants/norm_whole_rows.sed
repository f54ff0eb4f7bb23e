# The first rows of a piece are left as they were.
# in norm_whole.cuh, compile norm_whole.cu, plain, --only norm/15
s/from >= 0; from -= BATCH/from > 0; from -= BATCH/
