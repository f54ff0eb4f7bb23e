# A row that was read again is taken for one that stayed.
# in norm_whole.cuh, compile norm_whole.cu, plain, --only norm/15
s/slot < a.held;/slot <= a.held;/
