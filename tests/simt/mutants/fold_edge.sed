# Taps reach beyond the filter.
# in fold.cuh, compile fold.cu, plain, --only fold
s/w + j < a.w/w + j <= a.w/
