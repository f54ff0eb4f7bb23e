# Warps' sums are added from the second one on.
# in conv_weight_half.cu, compile conv_weight_half.cu, plain, --direct --only conv
s/\*to = row == 0 ? sum/*to = row <= 2 ? sum/
