# Threads' sums are added from the second one on.
# in conv_weight.cu, compile conv_weight.cu, plain, --direct --only conv
s/\*to = slice == 0 ? sum\[i\]\[c\] : \*to + sum\[i\]\[c\]/*to = slice <= 1 ? sum[i][c] : *to + sum[i][c]/
